import type { Options } from "./command-line.js";
import { exitCodeMeanings } from "./exit-code.js";

const WIDTH = 100;

/** What the help says of a command beside its options. */
export interface About {
  readonly usage: string;
  readonly summary: string;
  readonly notes: readonly string[];
  readonly examples: readonly string[];
}

export function generalHelp(commands: Readonly<Record<string, { readonly about: About }>>): string {
  return page([
    ["fleet-internal-client: devices of Fleet Protocol v2, from the command line"],
    ["Usage: fleet-internal-client COMMAND [OPTIONS]"],
    ["Commands:", ...table(Object.entries(commands).map(([name, { about }]) => [name, about.summary]))],
    ["fleet-internal-client COMMAND --help tells more of a command; --version gives the version."],
    exitCodes(),
  ]);
}

export function commandHelp(about: About, options: Options): string {
  return page([
    [`Usage: fleet-internal-client ${about.usage}`],
    wrapped(`${about.summary}.`, 0),
    ["Options:", ...table(Object.entries(options).map(([name, option]) => [written(name, option), option.help]))],
    ...about.notes.map((note) => wrapped(note, 0)),
    ["Examples:", ...about.examples.map((example) => `  ${example}`)],
    exitCodes(),
  ]);
}

function exitCodes(): string[] {
  return ["Exit codes:", ...table(exitCodeMeanings.map(([code, meaning]) => [code.toString(), meaning]))];
}

function written(name: string, { short, value }: Options[string]): string {
  const long = value === undefined ? `--${name}` : `--${name} ${value}`;
  return short === undefined ? long : `-${short}, ${long}`;
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const indent = 4 + Math.max(...rows.map(([name]) => name.length));
  return rows.flatMap(([name, meaning]) => {
    const [first = "", ...rest] = wrapped(meaning, indent);
    return [`  ${name}`.padEnd(indent) + first.trimStart(), ...rest];
  });
}

/** In lines of at most the page's width, unless one word is longer. */
function wrapped(text: string, indent: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line === "") lines[lines.length - 1] = word;
    else if (indent + line.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.map((line) => " ".repeat(indent) + line);
}

function page(sections: readonly (readonly string[])[]): string {
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}
