// Throws random streams of bytes at the library until the first that it reads wrongly.
//
//   npm run fuzz [-- --seed N --inputs N]
//
// Ends with code 0 and "0 violations", or with code 1 and the seed and the smallest input that still fails.
import fc from "fast-check";
import { wholeNumberOptions } from "./fuzz/options.js";
import { readsAsTheReference, show } from "./fuzz/streams.js";

const { seed, inputs } = wholeNumberOptions({
  seed: { least: 0, most: 2 ** 31 - 1, otherwise: Date.now() % 2 ** 31 },
  inputs: { least: 1, most: 1_000_000_000, otherwise: 1_000_000 },
});

const counts = new Map<string, number>();
function tally(outcome: string): unknown {
  return counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
}

console.log(`seed ${seed}, ${inputs} inputs`);
const begunAt = performance.now();
const { failed, counterexample, errorInstance, numRuns } = fc.check(readsAsTheReference(tally), {
  seed,
  numRuns: inputs,
});
console.log(`\n${numRuns} inputs in ${((performance.now() - begunAt) / 1_000).toFixed(1)} s`);
for (const [what, count] of [...counts].sort(([one], [other]) => one.localeCompare(other))) {
  console.log(`  ${String(count).padStart(9)} ${what}`);
}
if (failed) {
  process.exitCode = 1;
  console.log(`\n1 violation, in input ${numRuns} with --seed ${seed} --inputs ${inputs}`);
  console.log(errorInstance);
  if (counterexample !== null) console.log(`the smallest input that fails: ${show(...counterexample)}`);
} else {
  console.log("\n0 violations");
}
