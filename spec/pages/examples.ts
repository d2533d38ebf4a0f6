/** A block of code in a page. */
export interface Block {
  readonly language: string;
  readonly code: string;
  /** The heading that it stands under. */
  readonly heading: string;
  /** The line on which the code begins. */
  readonly line: number;
}

/**
 * Code that runs as one: a block that begins with an import, and those without one that follow it under the same heading.
 * They read as one, and share their names.
 */
export interface Example {
  readonly title: string;
  readonly language: string;
  readonly code: string;
  /** What the comments `// prints …` say that it prints. */
  readonly printed: readonly string[];
}

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let heading = "";
  let open: { readonly language: string; readonly line: number; readonly code: string[] } | undefined;
  markdown.split("\n").forEach((text, index) => {
    if (open === undefined) {
      if (text.startsWith("#")) heading = text.replace(/^#+ /, "");
      if (text.startsWith("```")) open = { language: text.slice(3), line: index + 2, code: [] };
    } else if (text === "```") {
      blocks.push({ language: open.language, code: open.code.join("\n"), heading, line: open.line });
      open = undefined;
    } else {
      open.code.push(text);
    }
  });
  return blocks;
}

/** The blocks of TypeScript and JavaScript; those of a shell and the like are not run. */
export function examplesOf(page: string, blocks: readonly Block[]): Example[] {
  const groups: Block[][] = [];
  for (const block of blocks) {
    if (!["ts", "js"].includes(block.language)) continue;
    const before = groups.at(-1);
    if (isOnItsOwn(block)) groups.push([block]);
    else if (before?.[0]?.heading === block.heading) before.push(block);
    else throw new Error(`${page}, line ${block.line}: a block without an import follows no other of its section`);
  }
  return groups.map((group) => {
    const [{ heading, line, language }] = group as [Block];
    const code = group.map((block) => block.code).join("\n\n");
    return { title: `${page}, ${heading} (line ${line})`, language, code, printed: printedBy(code) };
  });
}

export function isJestTest({ code }: Example): boolean {
  return /^\s*(it|test)\(/m.test(code);
}

function isOnItsOwn({ code, language }: Block): boolean {
  return language === "js" || /^import /m.test(code);
}

/** Empty output cannot be announced, so every comment has some text. */
function printedBy(code: string): string[] {
  return [...code.matchAll(/\/\/ prints (.+)$/gm)].map((match) => match[1]!);
}
