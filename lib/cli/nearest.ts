/** The candidate that was probably meant: one that the word begins, or else that differs by few letters. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const begun = candidates.find((candidate) => word.length > 1 && candidate.startsWith(word));
  if (begun !== undefined) return begun;
  const most = Math.floor(1 + word.length / 4);
  const distances = candidates.map((candidate) => ({ candidate, distance: editDistance(word, candidate) }));
  return distances.sort((one, other) => one.distance - other.distance).find(({ distance }) => distance <= most)
    ?.candidate;
}

/** How many letters have to be put in, left out or replaced to make one word of the other. */
export function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, length) => length);
  for (const [index, letter] of Array.from(one).entries()) {
    const next = [index + 1];
    for (const [at, otherLetter] of Array.from(other).entries()) {
      const [above = 0, diagonal = 0, left = 0] = [row[at + 1], row[at], next[at]];
      next.push(letter === otherLetter ? diagonal : 1 + Math.min(above, diagonal, left));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
