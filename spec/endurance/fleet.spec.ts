import { describe, expect, it } from "@jest/globals";
import { soak } from "../../scripts/soak/soak.js";

describe("a fleet of devices behind a bad network and a gateway that restarts", () => {
  it("ends every call once and in time, gets no late command, and leaves nothing behind", async () => {
    // A short stretch of what `npm run soak` does at length.
    const report = await soak({ devices: 50, seconds: 3, seed: 1 }, undefined);

    expect(report.problems).toEqual([]);
    expect(Object.entries(report.zeros).filter(([, count]) => count !== 0)).toEqual([]);
    expect(Object.keys(report.zeros)).toHaveLength(7);
    // The rest is to make sure that it was no walk in the park, on however busy a machine.
    expect(report.statusesCompleted).toBeGreaterThan(10);
    expect(report.commandsReceived).toBeGreaterThan(report.statusesCompleted);
    expect(report.reconnections).toBeGreaterThan(0);
    expect(report.networkCuts).toBeGreaterThan(0);
    expect(report.gatewayRestarts).toBeGreaterThan(0);
  }, 60_000);
});
