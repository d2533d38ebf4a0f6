import { runProgram, withGateway } from "../processes.js";
import type { Comparison } from "../programs/compare.js";
import type { PushSettings } from "../programs/pushes.js";
import { floorAgain, type Part } from "./part.js";

const names = { raw: "net data event", rawAgain: floorAgain, library: "commands()" } as const;

export const push: Part = async (report, { rounds }) => {
  report.heading("A pushed command, from the gateway's write to its reader");
  const comparisons = await withGateway(["push"], ([port = 0]) =>
    runProgram<Comparison[]>("pushes", { port, rounds: 4 * rounds, pushesPerSlice: 15, names } satisfies PushSettings),
  );
  report.table({
    title: "Push of 16 B",
    reference: names.raw,
    itself: names.rawAgain,
    metrics: [{ key: "latency", heading: "latency µs", digits: 1 }],
    comparisons,
    targets: [{ of: names.library, metric: "latency", most: 1.3 }],
  });
};
