// Throws random streams of bytes at the library until the first that it reads wrongly.
//
//   npm run fuzz [-- --seed N --inputs N]
//
// Ends with code 0 and "0 violations", or with code 1 and the seed and the smallest input that still fails.
import { campaign, type Outcome } from "./fuzz/kind.js";
import { wholeNumberOptions } from "./fuzz/options.js";
import { streams } from "./fuzz/streams.js";

const options = wholeNumberOptions({
  seed: { least: 0, most: 2 ** 32 - 1, otherwise: Date.now() % 2 ** 32 },
  inputs: { least: 1, most: 1_000_000_000, otherwise: 1_000_000 },
});

process.stdout.write(`seed ${options.seed}, ${options.inputs} inputs\n`);
const begunAt = performance.now();
const outcome = campaign(streams, options.seed, options.inputs);
process.stdout.write(report(outcome, performance.now() - begunAt));
process.exitCode = outcome.violation === undefined ? 0 : 1;

function report({ inputs, counts, violation }: Outcome, tookMs: number): string {
  const lines = [`\n${inputs} inputs in ${(tookMs / 1_000).toFixed(1)} s`];
  for (const [what, count] of [...counts].sort(([one], [other]) => one.localeCompare(other))) {
    lines.push(`  ${String(count).padStart(9)} ${what}`);
  }
  if (violation === undefined) lines.push("", "0 violations");
  else {
    lines.push(
      "",
      `1 violation, in input ${violation.index} with --seed ${options.seed} --inputs ${options.inputs}`,
      `  ${violation.problem}`,
      `  smallest input that fails: ${violation.shrunk}`,
    );
  }
  return `${lines.join("\n")}\n`;
}
