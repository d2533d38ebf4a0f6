/** The candidate that was probably meant: one that begins with the word or that the word begins with, in any case, or that differs by a few letters. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const meant = word.toLowerCase();
  const akin = candidates.find((candidate) => {
    const name = candidate.toLowerCase();
    return meant.length > 2 && (name.startsWith(meant) || meant.startsWith(name));
  });
  return akin ?? candidates.find((candidate) => editDistance(meant, candidate.toLowerCase()) <= 1 + word.length / 4);
}

function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, length) => length);
  for (let index = 0; index < one.length; index += 1) {
    const next = [index + 1];
    for (let at = 0; at < other.length; at += 1) {
      const [above = 0, diagonal = 0, left = 0] = [row[at + 1], row[at], next[at]];
      next.push(one[index] === other[at] ? diagonal : 1 + Math.min(above, diagonal, left));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
