/** The one table that all results are lines of. */
import type { Turn } from "./measure.js";
import type { Target } from "./rows.js";
import { median, quantile, units, type Metric } from "./sample.js";

/** `missed` does not reach the goal and no more; `FAILED` is worse than what the library keeps to as well. */
const verdicts = ["reached", "missed", "FAILED", "too noisy"] as const;

const counts = { reached: 0, missed: 0, FAILED: 0, "too noisy": 0 };

/** When the reference against itself is off by more than this, what was measured beside it is not judged. */
const tolerance = 0.05;

function verdictOn(value: number, { bound, goal, kept }: Target, isNoisy: boolean): (typeof verdicts)[number] {
  if (isNoisy) return "too noisy";
  const isWithin = (limit: number): boolean => (bound === "at least" ? value >= limit : value <= limit);
  if (isWithin(goal)) return "reached";
  return isWithin(kept) ? "missed" : "FAILED";
}

function judge(value: number, target: Target | undefined, isNoisy = false): string {
  if (target === undefined) return isNoisy ? "too noisy" : "";
  const verdict = verdictOn(value, target, isNoisy);
  counts[verdict] += 1;
  return `${verdict}: ${target.bound} ${target.goal}, kept ${target.kept}`;
}

function print(name: string, metric: string, ...cells: readonly string[]): void {
  const judgement = cells[5] ?? "";
  const figures = cells.slice(0, 5).map((cell) => cell.padStart(11));
  console.log(`${name.padEnd(32)}${metric.padStart(12)}${figures.join("")}   ${judgement}`.trimEnd());
}

function inDigits(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: value < 1000 ? 1 : 0 });
}

export function printHeadings(reference: string): void {
  print("", "", reference, "now", "ratio", "quartiles", "itself", "target");
}

export function printRatio(name: string, metric: Metric, turns: readonly Turn[], target: Target | undefined): void {
  const valuesOf = (which: keyof Turn) => turns.map((turn) => turn[which][metric] ?? NaN);
  const references = valuesOf("reference");
  const ratiosOf = (which: keyof Turn) => valuesOf(which).map((value, at) => value / (references[at] ?? NaN));
  const ratios = ratiosOf("measured");
  const [ratio, itself] = [median(ratios), median(ratiosOf("itself"))];
  const quartiles = [0.25, 0.75].map((part) => quantile(ratios, part).toFixed(2)).join("-");
  const [reference, now] = [references, valuesOf("measured")].map((values) => inDigits(median(values)));
  const judgement = judge(ratio, target, Math.abs(itself - 1) > tolerance);
  print(name, units[metric], reference ?? "", now ?? "", ratio.toFixed(3), quartiles, itself.toFixed(3), judgement);
}

/** What cannot be measured fails a check: so a process that may not open enough files, and a function that another commit lacks. */
export function printFailure(name: string, reason: string): void {
  counts.FAILED += 1;
  console.log(`${name.padEnd(32)}   not measured: ${reason}`);
}

/** Gives whether anything is worse than what the library keeps to. */
export function printSummary(): boolean {
  console.log(`\nTargets: ${verdicts.map((verdict) => `${counts[verdict]} ${verdict}`).join(", ")}`);
  return counts.FAILED > 0;
}
