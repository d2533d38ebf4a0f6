/**
 * Measures the built library against Node itself, which does nothing but write ready-made bytes and read them back; with
 * --against REV, against the library as another commit has it.
 *
 * All that is compared stays open, each in a process of its own, and takes turns in many short slices. A ratio is the
 * median of those of the turns, with its quartiles. With --check the run fails when the library is slower than it keeps
 * to; --only takes some of the rows.
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { buildCommit, buildPresent, buildPrograms } from "./bench/build.js";
import { isPinned, measure, type Subject } from "./bench/measure.js";
import { printFailure, printHeadings, printRatio, printSummary } from "./bench/report.js";
import { rows, type Row } from "./bench/rows.js";
import type { Metric } from "./bench/sample.js";

const parts = [...new Set(rows.map(({ part }) => part))].join(", ");
const usage = `npm run bench -- [--check] [--against REV] [--only PART,...]; parts: ${parts}, or what is in a row's name`;

/** Throws an error whose message begins with a line for people. */
function optionsFrom(args: string[]) {
  const { values } = parseArgs({
    args,
    options: { check: { type: "boolean", default: false }, only: { type: "string" }, against: { type: "string" } },
  });
  const words = values.only?.split(",") ?? [""];
  const isMeant = (word: string, name: string): boolean => name.startsWith(`${word}: `) || name.includes(word);
  const names = rows.map(nameOf);
  const unknown = words.find((word) => !names.some((name) => isMeant(word, name)));
  if (unknown !== undefined) throw new Error(`nothing that is measured is called ${JSON.stringify(unknown)}`);
  return { ...values, isWanted: (row: Row) => words.some((word) => isMeant(word, nameOf(row))) };
}

function nameOf({ part, name }: Row): string {
  return `${part}: ${name}`;
}

async function reportRow(row: Row, now: string, then: string | undefined): Promise<void> {
  const measured: Subject = { workload: row.library, build: now };
  const reference: Subject = then === undefined ? { workload: row.floor, build: now } : { ...measured, build: then };
  const turns = await measure(row, reference, measured);
  for (const metric of Object.keys(turns[0]?.reference ?? {}) as Metric[]) {
    printRatio(nameOf(row), metric, turns, then === undefined ? row.targets[metric] : undefined);
  }
}

async function run({ check, against, isWanted }: ReturnType<typeof optionsFrom>): Promise<void> {
  await buildPrograms();
  const now = await buildPresent();
  const then = against === undefined ? undefined : buildCommit(against);
  console.log(`Node ${process.version} on ${cpus().length} x ${cpus()[0]?.model ?? "an unknown CPU"}`);
  console.log(`${isPinned ? "All" : "NOTE: nothing"} that is measured is pinned to one CPU.`);
  console.log(`Load of the machine: ${(loadavg()[0] ?? 0).toFixed(1)}. Anything else that runs adds noise.\n`);
  printHeadings(then === undefined ? "floor" : "then");
  for (const row of rows.filter(isWanted)) {
    await reportRow(row, now, then).catch((error: unknown) => printFailure(nameOf(row), String(error)));
  }
  if (printSummary() && check) process.exitCode = 1;
}

let options: ReturnType<typeof optionsFrom> | undefined;
try {
  options = optionsFrom(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message.split("\n")[0] ?? ""}; ${usage}`);
  process.exitCode = 2;
}
if (options !== undefined) await run(options);
