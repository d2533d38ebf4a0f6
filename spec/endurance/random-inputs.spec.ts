import { expect, it } from "@jest/globals";
import fc from "fast-check";
import { readsAsTheReference } from "../../scripts/fuzz/streams.js";

// A short stretch of what `npm run fuzz` does at length. The seed is always the same unless the environment gives another.
const seed = Number(process.env["ENDURANCE_SEED"] ?? 1);

it("reads every stream of bytes as the reference does, and allocates nothing for what a header only announces", () => {
  const outcomes = new Set<string>();
  fc.assert(
    readsAsTheReference((outcome) => outcomes.add(outcome)),
    { seed, numRuns: 5_000 },
  );
  expect([...outcomes].sort()).toEqual([
    "broken streams",
    "commands",
    "connectResponses",
    "dropped streams",
    "messages without a second opinion",
    "undecodables",
    "waiting streams",
    "whole streams",
  ]);
});
