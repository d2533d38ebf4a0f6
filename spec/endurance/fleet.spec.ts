import { describe, expect, it } from "@jest/globals";
import { soak, type SoakReport } from "../../scripts/soak/soak.js";

/** A busy machine needs longer, and takes fewer: every sixth of the time the gateway restarts, and the whole fleet connects anew. */
const SOAKS = [
  { devices: 50, seconds: 3 },
  { devices: 20, seconds: 12 },
  { devices: 5, seconds: 48 },
];

function wasNoWalkInThePark(report: SoakReport): boolean {
  const { statusesCompleted, commandsReceived, reconnections, networkCuts, gatewayRestarts } = report;
  const happened = [reconnections, networkCuts, gatewayRestarts];
  return statusesCompleted > 10 && commandsReceived > statusesCompleted && happened.every((count) => count > 0);
}

describe("a fleet of devices behind a bad network and a gateway that restarts", () => {
  it("ends every call once and in time, gets no late command, and leaves nothing behind", async () => {
    let report: SoakReport | undefined;
    for (const bounds of SOAKS) {
      // A short stretch of what `npm run soak` does at length.
      report = await soak({ ...bounds, seed: 1 }, undefined);
      expect(report.problems).toEqual([]);
      expect(Object.entries(report.zeros).filter(([, count]) => count !== 0)).toEqual([]);
      expect(Object.keys(report.zeros)).toHaveLength(7);
      if (wasNoWalkInThePark(report)) return;
    }
    expect(report).toBe("no walk in the park");
  });
});
