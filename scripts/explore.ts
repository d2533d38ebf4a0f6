import { parseArgs } from "node:util";
import { explore } from "./explore/search.js";
import { SEEDED_FAULTS } from "./explore/seeded-faults.js";
import { loadConnection, type Fault } from "./explore/load.js";
import type { Bounds } from "./explore/world.js";

// npm run explore -- [--statuses 3] [--pushes 2] … [--seconds 600] [--seeded]

const DEFAULTS = { statuses: 3, pushes: 2, drops: 2, aborts: 2, garbage: 1, freezes: 1, calls: 1 } satisfies Bounds;
const NONE: Bounds = { statuses: 0, pushes: 0, drops: 0, aborts: 0, garbage: 0, freezes: 0, calls: 0 };
/** Small worlds, each searched to its end within seconds: a seeded fault shows in one of them. */
const SMALL_WORLDS: readonly Bounds[] = [
  { ...NONE, statuses: 1, pushes: 1, aborts: 1 },
  { ...NONE, statuses: 1, drops: 1, freezes: 1 },
  { ...NONE, statuses: 1, drops: 2 },
  { ...NONE, statuses: 3 },
  { ...NONE, statuses: 1, pushes: 1, drops: 1 },
  { ...NONE, statuses: 2, pushes: 1, aborts: 1 },
  { ...NONE, statuses: 1, garbage: 1 },
  { ...NONE, statuses: 2, pushes: 1, calls: 1 },
  { ...NONE, statuses: 1, pushes: 1, drops: 1, aborts: 1 },
];

const names = Object.keys(DEFAULTS) as (keyof Bounds)[];
const { values } = parseArgs({
  options: {
    ...Object.fromEntries(names.map((name) => [name, { type: "string" as const }])),
    seconds: { type: "string", default: "600" },
    seeded: { type: "boolean", default: false },
  },
});
const given = values as Record<string, string | boolean | undefined>;
const maxSeconds = Number(values.seconds);

if (values.seeded) await exploreSeeded();
else await exploreAll();

async function exploreAll(): Promise<void> {
  const bounds = Object.fromEntries(
    names.map((name) => [name, Number(given[name] ?? DEFAULTS[name])]),
  ) as unknown as Bounds;
  const begun = performance.now();
  const found = explore(await loadConnection(), bounds, { maxSeconds });
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  console.log(names.map((name) => `${name} ${bounds[name]}`).join(", "));
  console.log(
    `${found.states} states, ${found.transitions} transitions, depth ${found.depth}, ${seconds} s, ` +
      (found.isComplete ? "complete" : "cut off"),
  );
  for (const { what, trace } of found.violations) console.log(`\nviolated: ${what}\n  ${trace.join("\n  ")}`);
  console.log(`${found.violations.length} violations`);
  if (found.violations.length > 0) process.exitCode = 1;
}

async function exploreSeeded(): Promise<void> {
  let seen = 0;
  for (const fault of SEEDED_FAULTS) {
    const what = await firstViolation(fault);
    if (what !== undefined) seen++;
    console.log(what === undefined ? `NOT SEEN: ${fault.name}` : `seen: ${fault.name} — ${what}`);
  }
  console.log(`${seen} of ${SEEDED_FAULTS.length} seeded faults seen`);
  if (seen < SEEDED_FAULTS.length) process.exitCode = 1;
}

async function firstViolation(fault: Fault): Promise<string | undefined> {
  const Class = await loadConnection(fault);
  for (const bounds of SMALL_WORLDS) {
    const [violation] = explore(Class, bounds, { maxSeconds: 60, stopsAtFirst: true }).violations;
    if (violation !== undefined) return violation.what;
  }
  return undefined;
}
