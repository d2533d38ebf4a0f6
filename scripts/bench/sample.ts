/** What is measured, and in what it is printed. */
export const units = {
  rate: "per second",
  cpu: "CPU µs each",
  latency: "µs",
  resident: "resident B",
  heap: "heap B",
} as const;

export type Metric = keyof typeof units;

/** What one slice of work gave. */
export type Sample = Readonly<Partial<Record<Metric, number>>>;

/** The value below which that part of all values lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * part)] ?? NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
