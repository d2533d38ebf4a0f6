import { parseArgs } from "node:util";
import { loadConnection, type Fault } from "./explore/load.js";
import { score } from "./explore/score.js";
import { explore } from "./explore/search.js";
import { SEEDED_FAULTS } from "./explore/seeded-faults.js";
import { SMALL_WORLDS } from "./explore/small-worlds.js";
import type { Bounds } from "./explore/world.js";

// npm run explore -- [--statuses 3] [--pushes 2] … [--seconds 600] [--seeded]

const DEFAULTS = { statuses: 3, pushes: 2, drops: 2, aborts: 2, garbage: 1, freezes: 1, calls: 1 } satisfies Bounds;

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

process.exitCode = (await (values.seeded ? score(SEEDED_FAULTS, firstViolation) : exploreAll())) ? 0 : 1;

async function exploreAll(): Promise<boolean> {
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
  return found.violations.length === 0;
}

async function firstViolation(fault?: Fault): Promise<string | undefined> {
  const Class = await loadConnection(fault);
  for (const bounds of SMALL_WORLDS) {
    const [violation] = explore(Class, bounds, { maxSeconds: 60, stopsAtFirst: true }).violations;
    if (violation !== undefined) return violation.what;
  }
  return undefined;
}
