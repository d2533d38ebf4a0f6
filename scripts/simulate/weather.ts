import type { Random } from "../fuzz/random.js";

/** How bad the network, the gateway and the process are in one run. Probabilities are for each occasion. */
export interface Weather {
  readonly mood: "calm" | "rough" | "hostile";
  readonly latencyMs: number;
  readonly fault: number;
  readonly push: number;
  readonly slowWrite: number;
  /** Of the process, in each turn of its event loop. */
  readonly freeze: number;
  /** Of a listener that calls the library back. */
  readonly callBack: number;
  /** The mean time between two partitions of the network. */
  readonly partitionEveryMs: number;
  /** Between most statuses. */
  readonly pauseMs: number;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
}

export function randomWeather(random: Random): Weather {
  const mood = random.pick(["calm", "calm", "rough", "hostile"] as const);
  const isCalm = mood === "calm";
  return {
    mood,
    latencyMs: random.pick([0.05, 1, 20, 150]),
    fault: { calm: 0.002, rough: 0.03, hostile: 0.12 }[mood],
    push: random.pick([0, 0.05, 0.5]),
    slowWrite: isCalm ? 0.02 : 0.3,
    freeze: isCalm ? 0 : random.pick([0, 0.001, 0.01]),
    callBack: isCalm ? 0.002 : 0.03,
    partitionEveryMs: { calm: Infinity, rough: 600_000, hostile: 60_000 }[mood],
    pauseMs: random.pick([1_000, 5_000, 30_000, 300_000]),
    timeoutMs: random.pick([300, 1_000, 10_000]),
    connectTimeoutMs: random.pick([200, 1_000, 4_000]),
  };
}
