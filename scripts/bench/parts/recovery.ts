import { runProgram, withGateway } from "../processes.js";
import type { Comparison } from "../programs/compare.js";
import type { RecoverySettings } from "../programs/recoveries.js";
import { floorAgain, type Part } from "./part.js";

const names = { raw: "net: reconnect, greet, status", rawAgain: floorAgain, library: "exchange" } as const;

const pauseMs = 2;

export const recovery: Part = async (report, { rounds }) => {
  report.heading("Recovery: from the gateway's restart, with a status in flight, to that status's command");
  const comparisons = await withGateway(["restart", "restart", "restart"], ([raw = 0, rawAgain = 0, library = 0]) => {
    const settings = { ports: { raw, rawAgain, library }, rounds, restartsPerSlice: 5, pauseMs, names };
    return runProgram<Comparison[]>("recoveries", settings satisfies RecoverySettings);
  });
  report.table({
    title: `Restart (the library waits ${pauseMs} ms before it reconnects, by contract; net reconnects at once)`,
    reference: names.raw,
    itself: names.rawAgain,
    metrics: [
      { key: "time", heading: "ms", digits: 2 },
      { key: "withoutPause", heading: `less ${pauseMs} ms`, digits: 2 },
    ],
    comparisons,
  });
};
