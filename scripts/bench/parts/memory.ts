import type { Effort } from "../effort.js";
import { openFilesLimit } from "../open-files.js";
import { runProgram, withGateway } from "../processes.js";
import { compare, type Sample, type Subject } from "../programs/compare.js";
import type { MemorySettings } from "../programs/memory.js";
import type { Report } from "../report.js";
import { floorAgain, type Part } from "./part.js";

const names = { raw: "net socket, onread", rawAgain: floorAgain, library: "client handle" } as const;

/** Opened before the first look at the memory, besides those that are counted. */
const warmUpDevices = 100;

/** Every run is a fresh process with a fresh gateway: neither garbage nor ports are left over from another. */
const subject = (name: string, kind: MemorySettings["kind"], devices: number): Subject => ({
  name,
  slice: () =>
    withGateway(["whole"], ([port = 0]) =>
      runProgram<Sample>("memory", { kind, port, devices } satisfies MemorySettings, ["--expose-gc"]),
    ),
});

const measure = async (report: Report, devices: number, runs: number): Promise<void> => {
  const title = `${devices} devices`;
  if (devices + warmUpDevices > openFilesLimit()) {
    report.note(`\n${title}: not measured, this system allows a process only ${openFilesLimit()} sockets`);
    return;
  }
  const others = [subject(names.rawAgain, "raw", devices), subject(names.library, "library", devices)];
  const comparisons = await compare(subject(names.raw, "raw", devices), others, { rounds: runs, warmUps: 0 });
  report.table({
    title,
    reference: names.raw,
    itself: names.rawAgain,
    metrics: [
      { key: "heap", heading: "heap + ext, B", digits: 0 },
      { key: "resident", heading: "resident, B", digits: 0 },
    ],
    comparisons,
    targets: [{ of: names.library, metric: "heap", most: 1.5 }],
  });
};

export const memory: Part = async (report, { isShort, memoryRuns }: Effort) => {
  report.heading("Memory of one idle device, after one exchange of 16 B");
  await measure(report, 1000, memoryRuns);
  if (!isShort) {
    await measure(report, 10_000, 1);
  }
};
