import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, expect, it } from "@jest/globals";
import type { Command } from "../../lib/cli/command-line.js";
import { commands } from "../../lib/cli/main.js";
import { optionRows } from "../../lib/cli/manual.js";
import { exitCodeMeanings } from "../../lib/cli/surroundings.js";
import { table } from "../pages/markdown.js";
import { eventually } from "../support/eventually.js";
import { endAll, run, start } from "./surroundings.js";

const path = "lib/cli/README.md";

afterEach(endAll);

// `npm run pages` writes it anew.
it(`${path} says what the commands take`, () => {
  const page = readFileSync(path, "utf8");
  const exitCodes = exitCodeMeanings.map(([code, meaning]) => [code.toString(), meaning]);
  const withCommands = replacePart(page, "commands", commands.map(section).join("\n\n"));
  const written = replacePart(withCommands, "exit codes", table(["code", "meaning"], exitCodes));
  if (process.env["WRITE_PAGES"] !== undefined) writeFileSync(path, written);
  else expect(page).toBe(written);
});

function replacePart(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end of ${name} -->`];
  const [before, rest = ""] = page.split(begin);
  const [, after] = rest.split(end);
  if (before === undefined || after === undefined) throw new Error(`the page has no part "${name}"`);
  return `${before}${begin}\n\n${content}\n\n${end}${after}`;
}

function section({ command, usage, summary, options, notes, events }: Command): string {
  const rows = optionRows(options).map(([name, meaning]) => [`\`${name}\``, meaning]);
  return [
    `## ${command}`,
    `${summary}.`,
    `\`\`\`text\nfleet-internal-client ${usage}\n\`\`\``,
    table(["option", "meaning"], rows),
    ...notes.map((text) => text.replace(/(.{1,120})( |$)/g, "$1\n").trimEnd()),
    "With `--json` each line is an object with `time` (ISO 8601), `event`, and these fields:",
    table(["event", "fields"], events),
  ].join("\n\n");
}

/** Times and the port are another each time. */
function withoutTimes(text: string): string {
  return text.replace(/\d\d:\d\d:\d\d\.\d{3}|\d+(\.\d)? ms|127\.0\.0\.1:\d+/g, "…");
}

it(`the examples in ${path} write what stands there`, async () => {
  const blocks = readFileSync(path, "utf8").matchAll(/```sh\nfleet-internal-client (.+)\n```\n\n```text\n([^`]*)```/g);
  const [[, gatewayLine, gatewayOutput] = [], ...others] = blocks;
  const { stage } = start(`${gatewayLine} --port 0`);
  await eventually(() => expect(withoutTimes(stage.output.text)).toBe(withoutTimes(gatewayOutput!)));
  const [, port = ""] = /:(\d+),/.exec(stage.output.text) ?? [];
  expect(others).toHaveLength(2);
  for (const [, line, written] of others) {
    const { code, output, errors } = await run(`${line} --port ${port}`);
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    expect(withoutTimes(output)).toBe(withoutTimes(written!));
  }
});
