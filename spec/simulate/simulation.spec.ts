import { describe, expect, it } from "@jest/globals";
import type { Fault } from "../../scripts/explore/load.js";
import { SEEDED_FAULTS } from "../../scripts/simulate/seeded-faults.js";
import { simulate } from "../../scripts/simulate/simulation.js";

// A short stretch of what `npm run simulate` does at length.
const bounds = { seed: 1, runs: 6, hours: 0.25, seconds: Infinity };

function seeded(name: string): Fault {
  return SEEDED_FAULTS.find((fault) => fault.name === name)!;
}

describe("a device's life in virtual time", () => {
  it("keeps every promise, whatever the network, the gateway and the process do", async () => {
    const { totals, violation } = await simulate(bounds);
    expect(violation).toBeUndefined();
    // The rest is to make sure that it was no walk in the park.
    expect(totals.runs).toBe(bounds.runs);
    expect(totals.milliseconds).toBeGreaterThanOrEqual(bounds.runs * bounds.hours * 3_600_000);
    expect(totals.commands).toBeGreaterThan(1_000);
    expect(totals.reconnections).toBeGreaterThan(20);
    expect(totals.freezes).toBeGreaterThan(20);
    expect(totals.reentrantCalls).toBeGreaterThan(20);
    expect([...totals.outcomes.keys()]).toEqual(
      expect.arrayContaining(["connect ok", "ok", "NOT_OK", "UNABLE_TO_CONNECT", "COMMAND_INCORRECT"]),
    );
  });

  it("is the same with the same seed, and different with another", async () => {
    const short = { ...bounds, runs: 1, hours: 0.05 };
    const first = await simulate(short);
    expect(await simulate(short)).toEqual(first);
    expect(await simulate({ ...short, seed: 2 })).not.toEqual(first);
  });

  it.each(["the newest status goes first", "a failed status leaves its listener on the signal"])(
    "shows a broken promise with its seed: %s",
    async (name) => {
      const { violation } = await simulate({ ...bounds, runs: 50 }, seeded(name));
      expect(violation).toMatchObject({ seed: expect.any(Number), what: expect.stringMatching(/^status \d+/) });
      expect(violation?.events.at(-1)).toContain("VIOLATION");
      const again = await simulate({ ...bounds, seed: violation!.seed, runs: 1 }, seeded(name));
      expect(again.violation).toEqual(violation);
    },
  );

  it("finds the place of every seeded fault in the library", async () => {
    expect(SEEDED_FAULTS.length).toBeGreaterThanOrEqual(20);
    for (const fault of SEEDED_FAULTS) {
      const { totals } = await simulate({ ...bounds, runs: 0 }, fault);
      expect(totals.runs).toBe(0);
    }
  });

  it("refuses a seeded fault that does not apply", async () => {
    const fault = { name: "none", file: "client/client.ts", from: "there is no such line", to: "" };
    await expect(simulate(bounds, fault)).rejects.toThrow('"none" does not apply exactly once to client/client.ts');
  });
});
