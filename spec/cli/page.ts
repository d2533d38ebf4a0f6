import type { Command } from "../../lib/cli/command-line.js";
import { commands } from "../../lib/cli/main.js";
import { optionRows } from "../../lib/cli/manual.js";
import { exitCodeMeanings } from "../../lib/cli/surroundings.js";

/** The page with its generated parts, between their marks, as the code has them. */
export function withGeneratedParts(page: string): string {
  return replacePart(replacePart(page, "commands", commands.map(section).join("\n\n")), "exit codes", exitCodes());
}

function replacePart(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end of ${name} -->`];
  const [before, rest = ""] = page.split(begin);
  const [, after] = rest.split(end);
  if (before === undefined || after === undefined) throw new Error(`the page has no part "${name}"`);
  return `${before}${begin}\n\n${content}\n\n${end}${after}`;
}

function section({ command, usage, summary, options, notes, events }: Command): string {
  const parts = [
    `## ${command}`,
    `${summary}.`,
    `\`\`\`text\nfleet-internal-client ${usage}\n\`\`\``,
    table(
      ["option", "meaning"],
      optionRows(options).map(([name, meaning]) => [`\`${name}\``, meaning]),
    ),
    ...notes.map(inLines),
    "With `--json` each line is an object with `time` (ISO 8601), `event`, and these fields:",
    table(
      ["event", "fields"],
      events.map(([event, fields]) => [event, fields]),
    ),
  ];
  return parts.join("\n\n");
}

function exitCodes(): string {
  return table(
    ["code", "meaning"],
    exitCodeMeanings.map(([code, meaning]) => [code.toString(), meaning]),
  );
}

function inLines(text: string): string {
  return text.replace(/(.{1,120})( |$)/g, "$1\n").trimEnd();
}

/** Written as prettier writes it. */
function table(head: readonly [string, string], rows: readonly (readonly [string, string])[]): string {
  const all = [head, ...rows];
  const widths = [0, 1].map((column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((text, column) => text.padEnd(widths[column]!)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** Each example: the arguments of its line, and what it writes. */
export function examplesOf(page: string): { readonly args: string[]; readonly output: string }[] {
  const blocks = page.matchAll(/```sh\nfleet-internal-client (.+)\n```\n\n```text\n([^`]*)```/g);
  return [...blocks].map(([, line = "", output = ""]) => ({ args: argumentsOf(line), output }));
}

/** As a shell takes a line apart that has no more than blanks and single quotes. */
function argumentsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|[^\s']+/g)].map(([word, quoted]) => quoted ?? word);
}
