import { describe, expect, it } from "@jest/globals";
import { campaign } from "../../scripts/fuzz/kind.js";
import { streams } from "../../scripts/fuzz/streams.js";

// A short stretch of what `npm run fuzz` does at length. The seed is always the same unless the environment gives another.
const seed = Number(process.env["ENDURANCE_SEED"] ?? 1);

describe("random inputs", () => {
  it("never make the reader of the gateway's bytes throw, misread, or allocate what a header merely announces", () => {
    const { counts, violation } = campaign(streams, seed, 5_000);
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
});

describe("a campaign of random inputs", () => {
  const numbers = {
    generate: streams.generate,
    check: ({ bytes }: { bytes: Uint8Array }) => (bytes.includes(0xff) ? "there is a 255 in it" : undefined),
    shrink: streams.shrink,
    show: ({ bytes }: { bytes: Uint8Array }) => Buffer.from(bytes).toString("hex"),
  };

  it("stops at the first input that is wrong and shows the smallest one that still is", () => {
    const { violation } = campaign(numbers, seed, 10_000);
    expect(violation).toMatchObject({ problem: "there is a 255 in it", shrunk: "ff" });
  });

  it("meets the same inputs again with the same seed, and others with another", () => {
    const first = campaign(numbers, 7, 10_000);
    expect(campaign(numbers, 7, 10_000)).toEqual(first);
    const others = [8, 9, 10].map((another) => campaign(numbers, another, 10_000));
    expect(others.map(({ violation }) => violation?.index)).not.toEqual(Array(3).fill(first.violation?.index));
  });

  it("reports an input that makes the code throw", () => {
    const throwing = {
      ...numbers,
      check: () => {
        throw new Error("out of order");
      },
    };
    const { violation } = campaign(throwing, seed, 1);
    expect(violation?.problem).toContain("it threw: Error: out of order");
  });
});
