import type { Random } from "../random.js";
import type { GatewayHabits } from "./gateway.js";
import type { NetworkHabits } from "./network.js";
import type { FreezeHabits } from "./virtual-process.js";

/** What a world is like: how its network, its gateway, its process and its device behave. */
export interface Mood {
  readonly name: string;
  readonly network: NetworkHabits;
  readonly gateway: GatewayHabits;
  readonly freezes: FreezeHabits;
  readonly slowWrites: number;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  /** The probability that a listener of diagnostics calls the library, at each message. */
  readonly reentrance: number;
}

const NO_FREEZES: FreezeHabits = { freezing: 0, freezeMs: [] };
const QUIET = { partitionsPerHour: 0, partitionMs: [] };

export function moodOf(random: Random): Mood {
  const pick = random.pick([calm, calm, frozen, rough, rough, hostile]);
  return pick(random);
}

function calm(random: Random): Mood {
  return {
    name: "calm",
    network: { latencyMs: random.pick([0.05, 1, 20, 150]), ...QUIET },
    gateway: { faults: 0.002, pushes: random.pick([0, 0.02, 0.3]), restartsPerHour: 0.5 },
    freezes: NO_FREEZES,
    slowWrites: 0.01,
    connectTimeoutMs: random.pick([1_000, 4_000]),
    timeoutMs: random.pick([1_000, 10_000]),
    reentrance: 0.002,
  };
}

/** Nothing is wrong but that the process stands still now and then, often for longer than any limit. */
function frozen(random: Random): Mood {
  return {
    name: "frozen",
    network: { latencyMs: random.pick([0.05, 1, 10]), ...QUIET },
    gateway: { faults: 0, pushes: random.pick([0, 0.02]), restartsPerHour: 0 },
    freezes: { freezing: random.pick([0.002, 0.02]), freezeMs: [60, 400, 5_000, 60_000] },
    slowWrites: 0.01,
    connectTimeoutMs: random.pick([1_000, 4_000]),
    timeoutMs: random.pick([1_000, 10_000]),
    reentrance: 0,
  };
}

function rough(random: Random): Mood {
  return {
    name: "rough",
    network: {
      latencyMs: random.pick([0.05, 1, 20, 150]),
      partitionsPerHour: random.pick([0, 2, 20]),
      partitionMs: [500, 5_000, 60_000],
    },
    gateway: { faults: 0.03, pushes: random.pick([0, 0.02, 0.3]), restartsPerHour: 2 },
    freezes: random.pick([NO_FREEZES, { freezing: 0.001, freezeMs: [60, 400, 5_000, 60_000] }]),
    slowWrites: 0.1,
    connectTimeoutMs: random.pick([200, 1_000, 4_000]),
    timeoutMs: random.pick([300, 1_000, 10_000]),
    reentrance: 0.03,
  };
}

function hostile(random: Random): Mood {
  return { ...rough(random), name: "hostile", gateway: { faults: 0.12, pushes: 0.3, restartsPerHour: 6 } };
}
