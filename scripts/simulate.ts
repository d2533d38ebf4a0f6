// Lives a device's life in virtual time: the library as it is, against simulated networks and gateways.
//
//   npm run simulate [-- --seed N --hours H --runs R --seconds S]
//   npm run simulate -- --seeded
//
// Ends with code 1 at the first broken promise and prints how to repeat it. With --seeded it puts mistakes into the library, one
// at a time, and ends with code 1 if one of them goes unnoticed.
import { parseArgs } from "node:util";
import { SEEDED_FAULTS } from "./simulate/seeded-faults.js";
import { simulate, type Bounds, type Violation } from "./simulate/simulation.js";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    hours: { type: "string", default: "2" },
    runs: { type: "string", default: "1000000000" },
    seconds: { type: "string", default: "60" },
    seeded: { type: "boolean", default: false },
  },
});
const bounds: Bounds = {
  seed: Number(values.seed),
  hours: Number(values.hours),
  runs: Number(values.runs),
  seconds: Number(values.seconds),
};

process.exitCode = (await (values.seeded ? findSeededFaults() : findViolation())) ? 0 : 1;

async function findViolation(): Promise<boolean> {
  const { totals, violation } = await simulate(bounds);
  if (violation !== undefined) console.log(shown(violation));
  console.log(totals.toString());
  return violation === undefined;
}

function shown({ seed, mood, what, events }: Violation): string {
  return [
    ...events.map((event) => `  ${event}`),
    `violated in a ${mood} world: ${what}`,
    `again: npm run simulate -- --seed ${seed} --hours ${bounds.hours} --runs 1`,
  ].join("\n");
}

async function findSeededFaults(): Promise<boolean> {
  let seen = 0;
  for (const fault of SEEDED_FAULTS) {
    const { violation } = await simulate({ seed: 1, hours: 0.5, runs: 60, seconds: Infinity }, fault);
    if (violation !== undefined) seen++;
    console.log(
      violation === undefined ? `NOT SEEN: ${fault.name}` : `seen: ${fault.name} — ${violation.what.split("\n")[0]}`,
    );
  }
  console.log(`${seen} of ${SEEDED_FAULTS.length} seeded faults seen`);
  return seen === SEEDED_FAULTS.length;
}
