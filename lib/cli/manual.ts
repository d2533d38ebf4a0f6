import type { Command, Options } from "./command-line.js";
import { exitCodeMeanings } from "./surroundings.js";

const WIDTH = 100;

export function generalHelp(commands: readonly Command[]): string {
  const summaries = commands.map(({ command, summary }) => [command, summary] as const);
  return page([
    ["fleet-internal-client: devices of Fleet Protocol v2, from the command line"],
    ["Usage: fleet-internal-client COMMAND [OPTIONS]"],
    ["Commands:", ...table([...summaries, ["help", "Show this, or with COMMAND the help of that command"]])],
    ["fleet-internal-client --version prints the version."],
    exitCodes(),
  ]);
}

export function commandHelp({ usage, summary, options, notes, events, examples }: Command): string {
  return page([
    [`Usage: fleet-internal-client ${usage}`],
    wrapped(`${summary}.`, 0),
    ["Options:", ...table(optionRows(options))],
    ...notes.map((note) => wrapped(note, 0)),
    ["With --json each line is an object with time, event, and these fields:", ...table(events)],
    ["Examples:", ...examples.map((example) => `  ${example}`)],
    exitCodes(),
  ]);
}

/** Each option, as it is written, with its meaning. */
export function optionRows(options: Options): [written: string, meaning: string][] {
  return Object.entries(options).map(([name, { short, value, help, default: otherwise }]) => {
    const long = value === undefined ? `--${name}` : `--${name} ${value}`;
    return [
      short === undefined ? long : `-${short}, ${long}`,
      otherwise === undefined ? help : `${help} (default ${otherwise})`,
    ];
  });
}

function exitCodes(): string[] {
  return ["Exit codes:", ...table(exitCodeMeanings.map(([code, meaning]) => [code.toString(), meaning]))];
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
  return `${sections.map((lines) => lines.map((line) => line.trimEnd()).join("\n")).join("\n\n")}\n`;
}
