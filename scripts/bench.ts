/**
 * Measures the built library against Node itself, which does nothing but write ready-made bytes and read them back.
 *
 * All that is compared stays open and takes turns in many short slices, and a ratio is the median of those of the pairs,
 * with its quartiles. The floor is compared with itself too: where that is off by more than 5 %, there is no verdict.
 * With --check a shorter run fails when the library is slower than it keeps to; --only takes some of the parts.
 */
import { cpus, loadavg } from "node:os";

import { buildLibrary, buildPrograms } from "./bench/build.js";
import { full, short } from "./bench/effort.js";
import { buildCommit } from "./bench/other-build.js";
import { optionsFrom, type Options, type PartName } from "./bench/options.js";
import { connect } from "./bench/parts/connect.js";
import { exchanges } from "./bench/parts/exchanges.js";
import { imports } from "./bench/parts/import.js";
import { memory } from "./bench/parts/memory.js";
import type { Part } from "./bench/parts/part.js";
import { push } from "./bench/parts/push.js";
import { recovery } from "./bench/parts/recovery.js";
import { isPinned } from "./bench/processes.js";
import { Report } from "./bench/report.js";

const parts: Readonly<Record<PartName, Part>> = {
  exchanges,
  connect,
  memory,
  push,
  recovery,
  import: imports,
};

const describeMachine = (report: Report): void => {
  report.note(`Node ${process.version} on ${cpus().length} x ${cpus()[0]?.model ?? "an unknown CPU"}`);
  report.note(
    isPinned
      ? "The measured process and the gateway are pinned to one CPU."
      : "NOTE: nothing is pinned to a CPU here (that takes taskset and a second CPU), so expect noise.",
  );
  const [load = 0] = loadavg();
  if (load > 0.5) {
    report.note(`NOTE: other work runs on this machine (load ${load.toFixed(1)}), so expect noise.`);
  }
  report.note("Ratios are medians of paired slices, each against the first line of its table.");
};

const run = async ({ check, parts: names, against }: Options): Promise<void> => {
  const report = new Report();
  await buildLibrary();
  await buildPrograms();
  const effort = { ...(check ? short : full), against: against === undefined ? undefined : buildCommit(against) };
  describeMachine(report);
  for (const name of names) {
    await parts[name](report, effort);
  }
  const { hasFailed } = report.summary();
  if (check && hasFailed) {
    process.exitCode = 1;
  }
};

let options: Options | undefined;
try {
  options = optionsFrom(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
if (options !== undefined) {
  await run(options);
}
