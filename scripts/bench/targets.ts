import { median, quantile } from "./programs/median.js";
import type { Comparison } from "./programs/compare.js";

/** What a measured ratio, or size, should come to. */
export interface Target {
  /** The contender's name and the metric's key. */
  readonly of: string;
  readonly metric: string;
  readonly least?: number;
  readonly most?: number;
}

export type Verdict = "PASS" | "below" | "no verdict";

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

export const isMet = (value: number, { least = -Infinity, most = Infinity }: Target): boolean =>
  value >= least && value <= most;

/** `itself` is the floor against itself. */
export const verdictOn = (value: number, target: Target, itself: number): Verdict => {
  if (!(Math.abs(itself - 1) <= tolerance)) {
    return "no verdict";
  }
  return isMet(value, target) ? "PASS" : "below";
};
