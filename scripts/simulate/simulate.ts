import { DeviceLife } from "./device-life.js";
import type { LibraryMaker } from "./library.js";
import { World } from "./world.js";

export interface Violation {
  readonly seed: number;
  readonly mood: string;
  readonly what: string;
  /** The last events before it. */
  readonly events: readonly string[];
}

/** What the runs came to. */
export interface Totals {
  runs: number;
  clients: number;
  statuses: number;
  commands: number;
  connections: number;
  callBacks: number;
  virtualMs: number;
  readonly codes: Map<string, number>;
  readonly violations: Violation[];
}

export interface Plan {
  /** Of the first run; each further one has the next. */
  readonly seed: number;
  /** Of virtual time, in each run. */
  readonly hours: number;
  readonly runs: number;
  /** Of real time: no run begins later. */
  readonly seconds?: number;
  readonly stopsAtFirst?: boolean;
}

const SHOWN_EVENTS = 30;

export async function simulate(makeLibrary: LibraryMaker, plan: Plan): Promise<Totals> {
  const { seed, hours, runs, seconds = Infinity, stopsAtFirst = false } = plan;
  const totals = noTotals();
  const begunAt = performance.now();
  for (let run = 0; run < runs && performance.now() - begunAt < seconds * 1_000; run++) {
    await simulateOne(makeLibrary, seed + run, hours, totals);
    if (stopsAtFirst && totals.violations.length > 0) break;
  }
  return totals;
}

async function simulateOne(makeLibrary: LibraryMaker, seed: number, hours: number, totals: Totals): Promise<void> {
  const world = new World(seed, makeLibrary);
  const life = new DeviceLife(world);
  const { invariants, loop, sockets, journal, weather } = world;
  const begunAt = loop.now;
  const onError = (error: unknown): void => invariants.violated(`not caught: ${String(error)}`);
  process.on("unhandledRejection", onError);
  process.on("uncaughtException", onError);
  await life.live(hours);
  process.off("unhandledRejection", onError);
  process.off("uncaughtException", onError);

  totals.runs += 1;
  totals.clients += life.counts.clients;
  totals.callBacks += life.counts.callBacks;
  totals.statuses += invariants.statuses.settled;
  totals.commands += invariants.commands.delivered;
  totals.connections += sockets.length;
  totals.virtualMs += loop.now - begunAt;
  for (const [code, count] of invariants.statuses.codes) totals.codes.set(code, (totals.codes.get(code) ?? 0) + count);
  const { violation } = invariants;
  if (violation === undefined) return;
  totals.violations.push({ seed, mood: weather.mood, what: violation, events: journal.last(SHOWN_EVENTS) });
}

function noTotals(): Totals {
  const nothing = { runs: 0, clients: 0, statuses: 0, commands: 0, connections: 0, callBacks: 0, virtualMs: 0 };
  return { ...nothing, codes: new Map(), violations: [] };
}
