import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Fault } from "../explore/load.js";
import { Random } from "../random.js";
import { DeviceLife } from "./device-life.js";
import { loadLibrary } from "./library.js";
import { moodOf } from "./moods.js";
import { Totals } from "./totals.js";
import { World } from "./world.js";

export interface Bounds {
  readonly seed: number;
  readonly runs: number;
  /** Of a device's life in each run. */
  readonly hours: number;
  /** Of real time; no run is begun after it. */
  readonly seconds: number;
}

export interface Violation {
  readonly seed: number;
  readonly mood: string;
  readonly what: string;
  readonly events: readonly string[];
}

const CHANNELS = ["connect", "refusal", "status", "command", "reconnect", "drop", "ignore", "destroy"];
const UNCAUGHT = ["uncaughtException", "unhandledRejection"];
const SHOWN_EVENTS = 40;

/** Lives through one world after the other, up to the first violation. */
export async function simulate(bounds: Bounds, fault?: Fault): Promise<{ totals: Totals; violation?: Violation }> {
  const totals = new Totals();
  let world: World | undefined;
  let life: DeviceLife | undefined;
  const library = await loadLibrary(() => world ?? noWorld(), fault);
  const listeners = CHANNELS.map((channel) => ({
    name: `fleet-internal-client:${channel}`,
    hear: (message: unknown) => life?.hear(channel, (message as { client: unknown }).client),
  }));
  const onUncaught = (thrown: unknown): void => world?.violate(`it threw: ${String(thrown)}`);
  for (const { name, hear } of listeners) subscribe(name, hear);
  for (const event of UNCAUGHT) process.on(event, onUncaught);
  try {
    const endsAt = performance.now() + bounds.seconds * 1_000;
    for (let run = 0; run < bounds.runs && performance.now() < endsAt; run++) {
      const seed = bounds.seed + run;
      const random = new Random(Math.imul(seed, 0x9e3779b1));
      world = new World(random, moodOf(random));
      life = new DeviceLife(library, world, totals);
      const begunAt = world.clock.now;
      await life.live(bounds.hours);
      totals.runs++;
      totals.milliseconds += world.clock.now - begunAt;
      totals.freezes += world.process.freezes;
      const what = world.judge.violation;
      if (what === undefined) continue;
      totals.violations++;
      const violation = { seed, mood: world.mood.name, what, events: world.judge.lastEvents(SHOWN_EVENTS) };
      return { totals, violation };
    }
    return { totals };
  } finally {
    for (const { name, hear } of listeners) unsubscribe(name, hear);
    for (const event of UNCAUGHT) process.off(event, onUncaught);
  }
}

function noWorld(): never {
  throw new Error("the library does something outside of every world");
}
