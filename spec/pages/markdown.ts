/** A table as prettier writes it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", String.raw`\|`)));
  const widths = head.map((_, column) => Math.max(3, ...lines.map((row) => row[column]!.length)));
  const [first, ...rest] = lines.map((row) => `| ${row.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`);
  return [first, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rest].join("\n");
}

const PART = /<!-- generated: (.+?) -->\n[\s\S]*?<!-- end of generated part -->/g;

/** The page with what stands between the marks written anew. */
export function withGeneratedParts(page: string, write: (what: string) => string): string {
  return page.replace(
    PART,
    (_, what: string) => `<!-- generated: ${what} -->\n\n${write(what)}\n\n<!-- end of generated part -->`,
  );
}

const MAX_WIDTH = 120;

/** As lines of at most 120 characters; those after the first are indented, as a list wants it. */
export function wrapped(text: string): string {
  return text.split(" ").reduce((lines, word) => {
    const width = lines.length - lines.lastIndexOf("\n");
    return width + word.length < MAX_WIDTH ? `${lines} ${word}` : `${lines}\n  ${word}`;
  });
}
