import { describe, expect, it } from "@jest/globals";
import { clientRuns } from "../../scripts/fuzz/client-runs.js";
import { campaign } from "../../scripts/fuzz/kind.js";
import { streams } from "../../scripts/fuzz/streams.js";

// A short stretch of what `npm run fuzz` does at length. The seed is always the same unless the environment gives another.
const seed = Number(process.env["ENDURANCE_SEED"] ?? 1);

describe("random inputs", () => {
  it("never make the reader of the gateway's bytes throw, misread, or allocate what a header merely announces", async () => {
    const { counts, violation } = await campaign(streams, seed, 0, 5_000);
    expect(violation).toBeUndefined();
    expect([...counts.keys()]).toEqual(
      expect.arrayContaining([
        "commands",
        "connectResponses",
        "undecodables",
        "broken streams",
        "waiting streams",
        "whole streams",
      ]),
    );
  });

  it("never make a client at a real socket give what a plain model of it does not allow", async () => {
    const { counts, violation } = await campaign(clientRuns, seed, 2, 25);
    expect(violation).toBeUndefined();
    const steps = ["connect", "send", "push", "kick", "restart", "abort", "destroy", "misuse", "race"];
    expect([...counts.keys()]).toEqual(expect.arrayContaining(steps.map((step) => `step: ${step}`)));
  }, 60_000);
});

describe("a campaign of random inputs", () => {
  const numbers = {
    name: "lists of numbers",
    generate: streams.generate,
    check: ({ bytes }: { bytes: Uint8Array }) => (bytes.includes(0xff) ? "there is a 255 in it" : undefined),
    shrink: streams.shrink,
    show: ({ bytes }: { bytes: Uint8Array }) => Buffer.from(bytes).toString("hex"),
    mostShrinks: 10_000,
  };

  it("stops at the first input that is wrong and shows the smallest one that still is", async () => {
    const { violation } = await campaign(numbers, seed, 0, 10_000);
    expect(violation).toMatchObject({ kind: "lists of numbers", problem: "there is a 255 in it", shrunk: "ff" });
  });

  it("meets the same inputs again with the same seed, and others with another", async () => {
    const first = await campaign(numbers, 7, 0, 10_000);
    expect(await campaign(numbers, 7, 0, 10_000)).toEqual(first);
    const others = await Promise.all([8, 9, 10].map((another) => campaign(numbers, another, 0, 10_000)));
    expect(others.map(({ violation }) => violation?.index)).not.toEqual(Array(3).fill(first.violation?.index));
  });

  it("reports an input that makes the code throw", async () => {
    const throwing = {
      ...numbers,
      check: () => {
        throw new Error("out of order");
      },
    };
    const { violation } = await campaign(throwing, seed, 0, 1);
    expect(violation?.problem).toContain("it threw: Error: out of order");
  });
});
