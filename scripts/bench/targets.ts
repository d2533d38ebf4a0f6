import { median, quantile } from "./programs/median.js";
import type { Comparison } from "./programs/compare.js";

/** What a measured ratio, or size, should come to. */
export interface Target {
  /** The contender's name and the metric's key. */
  readonly of: string;
  readonly metric: string;
  readonly least?: number;
  readonly most?: number;
  /** What the library keeps to where it does not reach the target. */
  readonly kept?: number | undefined;
}

/** `below` misses the target and no more; `FAIL` misses what the library keeps to as well. */
export type Verdict = "PASS" | "below" | "FAIL" | "no verdict";

/** When the floor against itself is off by more than this, nothing that was measured beside it counts. */
const tolerance = 0.05;

export interface Spread {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

/** The ratios of the pairs: their median and quartiles. */
export const ratioSpread = ({ pairs }: Comparison, metric: string): Spread => {
  const ratios = pairs.map(({ own, reference }) => (own[metric] ?? NaN) / (reference[metric] ?? NaN));
  return { low: quantile(ratios, 0.25), middle: median(ratios), high: quantile(ratios, 0.75) };
};

export const verdictOn = (value: number, { least, most, kept }: Target): Verdict => {
  const isWithin = (limit: number | undefined): boolean => {
    if (limit === undefined) return false;
    return least === undefined ? value <= limit : value >= limit;
  };
  if (isWithin(least ?? most)) return "PASS";
  return isWithin(kept) ? "below" : "FAIL";
};

/** `itself` is the floor against itself. */
export const verdictBeside = (itself: number, value: number, target: Target): Verdict =>
  Math.abs(itself - 1) <= tolerance ? verdictOn(value, target) : "no verdict";
