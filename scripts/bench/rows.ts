/** Everything that is measured, beside what, and what it should come to. */
import type { GatewayMode } from "./programs/gateway.js";
import type { WorkloadName } from "./programs/workloads.js";
import type { Metric } from "./sample.js";

/** A bound on a ratio: `goal` is to be reached, and `--check` fails beyond `kept`, which leaves room for noise. */
export interface Target {
  readonly bound: "at least" | "at most";
  readonly goal: number;
  readonly kept: number;
}

function atLeast(goal: number, kept: number): Target {
  return { bound: "at least", goal, kept };
}

function atMost(goal: number, kept: number): Target {
  return { bound: "at most", goal, kept };
}

const usual = {
  gateway: "whole" as GatewayMode,
  bytes: 16,
  devices: 1,
  sliceMs: 40,
  /** Turns that only warm up the code, and those that count, in each set of processes. */
  warmUps: 10,
  rounds: 10,
  /** How many sets of fresh processes. Each lays out its memory anew, and one layout may be faster by luck. */
  processes: 6,
};

export interface Row extends Readonly<typeof usual> {
  readonly part: string;
  readonly name: string;
  readonly library: WorkloadName;
  /** What the library is compared with. */
  readonly floor: WorkloadName;
  readonly targets: Readonly<Partial<Record<Metric, Target>>>;
}

const exchange = { ...usual, part: "exchanges", library: "exchange", floor: "netExchange" } as const;
const large = { ...exchange, processes: 10 };
const single = { ...usual, library: "exchange", floor: "exchange" } as const;
const memory = { ...usual, part: "memory", library: "idle", floor: "netIdle", warmUps: 0, rounds: 1 } as const;
const bytesEach = { resident: atMost(1.25, 1.6), heap: atMost(1.5, 1.8) };

// prettier-ignore
export const rows: readonly Row[] = [
  { ...exchange, name: "16 B", targets: { rate: atLeast(0.97, 0.9) } },
  { ...exchange, name: "1 KiB", bytes: 1024, targets: { rate: atLeast(0.95, 0.88) } },
  { ...large, name: "64 KiB", bytes: 65_536, targets: { rate: atLeast(0.97, 0.75) } },
  { ...large, name: "1 MiB", bytes: 1_048_576, targets: { rate: atLeast(0.99, 0.86) } },
  { ...exchange, name: "two writes", gateway: "split", targets: { rate: atLeast(0.95, 0.88) } },
  { ...exchange, name: "100 devices", devices: 100, targets: { rate: atLeast(0.92, 0.75), cpu: atMost(1.12, 1.5) } },
  // A slice is to hold several exchanges of each device.
  { ...exchange, name: "1000 devices", devices: 1000, sliceMs: 160, targets: { rate: atLeast(0.92, 0.7), cpu: atMost(1.12, 1.6) } },
  { ...single, part: "typed", name: "JSON of example", gateway: "example", library: "typed", floor: "byHand", targets: { rate: atLeast(0.95, 0.85) } },
  { ...single, part: "runDevice", name: "source without pause", library: "runDevice", sliceMs: 160, targets: { rate: atLeast(0.9, 0.7) } },
  { ...usual, part: "connect", name: "connect, destroy", library: "connect", floor: "netConnect", sliceMs: 80, targets: { rate: atLeast(0.85, 0.7) } },
  { ...usual, part: "push", name: "write to reader", gateway: "push", library: "push", floor: "netPush", warmUps: 20, processes: 3, targets: { latency: atMost(1.15, 1.5) } },
  { ...memory, name: "1000 idle", devices: 1000, processes: 3, targets: bytesEach },
  { ...memory, name: "10000 idle", devices: 10_000, processes: 1, targets: bytesEach },
  { ...usual, part: "start", name: "import", library: "import", floor: "netImport", warmUps: 1, processes: 2, targets: { cpu: atMost(1.05, 1.2) } },
];
