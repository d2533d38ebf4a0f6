import { runProgram, withGateway } from "../processes.js";
import type { Comparison } from "../programs/compare.js";
import type { ConnectSettings } from "../programs/connects.js";
import { floorAgain, type Part } from "./part.js";

const names = { raw: "net: connect, greet, close", rawAgain: floorAgain, library: "connect + destroy" } as const;

export const connect: Part = async (report, { rounds, sliceMs }) => {
  report.heading("Connecting a device and closing the connection");
  const comparisons = await withGateway(["whole"], ([port = 0]) =>
    runProgram<Comparison[]>("connects", { port, rounds, sliceMs: 2 * sliceMs, names } satisfies ConnectSettings),
  );
  report.table({
    title: "Connections",
    reference: names.raw,
    itself: names.rawAgain,
    metrics: [
      { key: "rate", heading: "connections/s", digits: 0 },
      { key: "cpu", heading: "CPU µs each", digits: 1 },
    ],
    comparisons,
    targets: [{ of: names.library, metric: "rate", least: 0.75 }],
  });
};
