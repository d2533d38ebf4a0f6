// Throws random inputs at the library until the first that makes it break its contract.
//
//   npm run fuzz [-- --seed N --inputs N]
//
// Ends with code 0 and "0 violations", or with code 1 and the seed and the smallest input that still fails.
import { clientRuns } from "./fuzz/client-runs.js";
import { campaign, type Kind, type Outcome } from "./fuzz/kind.js";
import { streams } from "./fuzz/streams.js";
import { wholeNumberOptions } from "./fuzz/options.js";

const options = wholeNumberOptions({
  seed: { least: 0, most: 2 ** 32 - 1, otherwise: Date.now() % 2 ** 32 },
  inputs: { least: 1, most: 1_000_000_000, otherwise: 1_000_000 },
});

/** Real runs take milliseconds where the others take microseconds, so they get a small share. */
const RUN_SHARE = 0.000_3;

async function main({ seed, inputs }: typeof options): Promise<boolean> {
  process.stdout.write(`seed ${seed}, ${inputs} inputs\n`);
  const runInputs = Math.max(1, Math.round(inputs * RUN_SHARE));
  const streamInputs = Math.max(1, inputs - runInputs);
  return (await fuzz(streams, seed, 0, streamInputs)) && (await fuzz(clientRuns, seed, 2, runInputs));
}

async function fuzz<Input>(kind: Kind<Input>, seed: number, kindNumber: number, inputs: number): Promise<boolean> {
  const begunAt = performance.now();
  const outcome = await campaign(kind, seed, kindNumber, inputs);
  process.stdout.write(report(kind.name, outcome, performance.now() - begunAt));
  return outcome.violation === undefined;
}

function report(name: string, { inputs, counts, violation }: Outcome, tookMs: number): string {
  const lines = [`\n${name}: ${inputs} inputs in ${(tookMs / 1_000).toFixed(1)} s`];
  for (const [what, count] of [...counts].sort(([one], [other]) => one.localeCompare(other))) {
    lines.push(`  ${String(count).padStart(9)} ${what}`);
  }
  if (violation !== undefined) {
    lines.push(
      "",
      `1 violation, in input ${violation.index} of ${violation.kind} with --seed ${options.seed} --inputs ${options.inputs}`,
      `  ${violation.problem}`,
      `  smallest input that fails: ${violation.shrunk}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

if (await main(options)) process.stdout.write("\n0 violations\n");
else process.exitCode = 1;
