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
  let heading = "";
  return [...markdown.matchAll(/^#+ (.+)$|^```(.*)\n([^]*?)\n```$/gm)].flatMap((match) => {
    const [, title, language = "", code] = match;
    heading = title ?? heading;
    const line = markdown.slice(0, match.index).split("\n").length + 1;
    return code === undefined ? [] : [{ language, code, heading, line }];
  });
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
