// Lives a device's life in virtual time: the library as it is, against simulated networks and gateways.
//
//   npm run simulate [-- --seed N --hours H --runs R --seconds S]
//   npm run simulate -- --seeded
//
// Ends with code 1 at the first broken promise and prints how to repeat it. With --seeded it puts mistakes into the library, one
// at a time, and ends with code 1 if one of them goes unnoticed.
import { parseArgs } from "node:util";
import type { Fault } from "./explore/load.js";
import { score } from "./explore/score.js";
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

process.exitCode = (await (values.seeded ? score(SEEDED_FAULTS, firstViolation) : findViolation())) ? 0 : 1;

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

async function firstViolation(fault?: Fault): Promise<string | undefined> {
  const { violation } = await simulate({ seed: 1, hours: 0.5, runs: 240, seconds: Infinity }, fault);
  return violation?.what.split("\n")[0];
}
