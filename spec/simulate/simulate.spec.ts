import { describe, expect, it } from "@jest/globals";
import { bundleLibrary } from "../../scripts/simulate/library.js";
import { simulate } from "../../scripts/simulate/simulate.js";

// A short stretch of what `npm run simulate` does at length.

describe("a client in simulated weather", () => {
  it("keeps what the library promises", async () => {
    const totals = await simulate(await bundleLibrary(), { seed: 1, hours: 0.2, runs: 12 });
    expect(totals.violations).toEqual([]);
    expect([...totals.codes.keys()]).toEqual(
      expect.arrayContaining(["ok", "NOT_OK", "TIMEOUT_OCCURRED", "UNABLE_TO_CONNECT", "COMMAND_INCORRECT"]),
    );
    expect(totals.callBacks).toBeGreaterThan(0);
  }, 120_000);

  it("does the same again with the same seed", async () => {
    const library = await bundleLibrary();
    const plan = { seed: 4, hours: 0.1, runs: 1 };
    expect(await simulate(library, plan)).toEqual(await simulate(library, plan));
  }, 120_000);

  it("is reported with its seed and the last events when it breaks a promise", async () => {
    const faulty = await bundleLibrary({
      name: "the newest status goes first",
      file: "protocol/status-queue.ts",
      from: "return this.take(0);",
      to: "return this.take(this.waiting.length - 1);",
    });
    const { violations } = await simulate(faulty, { seed: 1, hours: 1, runs: 10, stopsAtFirst: true });
    expect(violations).toEqual([expect.objectContaining({ seed: expect.any(Number), what: expect.any(String) })]);
  }, 120_000);
});
