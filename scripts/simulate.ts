// Runs the whole client in virtual time, against simulated networks and gateways, and checks what the library promises.
//
//   npm run simulate [-- --seed N --hours H --runs R --seconds S] [--seeded]
//
// `--seeded` puts mistakes into the library, one after the other, each of which has to be reported.
import { wholeNumberOptions } from "./fuzz/options.js";
import { bundleLibrary } from "./simulate/library.js";
import { SEEDED_FAULTS } from "./simulate/seeded-faults.js";
import { shownTotals, shownViolation } from "./simulate/report.js";
import { simulate } from "./simulate/simulate.js";

const args = process.argv.slice(2);
const isSeeded = args.includes("--seeded");
const plan = wholeNumberOptions(
  {
    seed: { least: 0, most: 2 ** 32 - 1, otherwise: isSeeded ? 1 : Date.now() % 2 ** 32 },
    hours: { least: 1, most: 10_000, otherwise: 2 },
    runs: { least: 1, most: 1_000_000_000, otherwise: 1_000_000_000 },
    seconds: { least: 1, most: 1_000_000, otherwise: 60 },
  },
  args.filter((arg) => arg !== "--seeded"),
);

// A stack for each of a million errors would take most of the time.
Error.stackTraceLimit = plan.runs === 1 ? 10 : 0;
if (!(await (isSeeded ? simulateFaults() : simulateLibrary()))) process.exitCode = 1;

async function simulateLibrary(): Promise<boolean> {
  const totals = await simulate(await bundleLibrary(), plan);
  for (const violation of totals.violations) console.log(shownViolation(violation));
  console.log(`from seed ${plan.seed}: ${shownTotals(totals)}`);
  return totals.violations.length === 0;
}

async function simulateFaults(): Promise<boolean> {
  let reported = 0;
  for (const fault of SEEDED_FAULTS) {
    const { violations } = await simulate(await bundleLibrary(fault), { ...plan, stopsAtFirst: true });
    const [violation] = violations;
    if (violation !== undefined) reported += 1;
    console.log(
      violation === undefined
        ? `NOT REPORTED: ${fault.name}`
        : `reported: ${fault.name} (seed ${violation.seed}: ${violation.what})`,
    );
  }
  console.log(`${reported} of ${SEEDED_FAULTS.length} seeded faults reported`);
  return reported === SEEDED_FAULTS.length;
}
