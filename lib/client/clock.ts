/**
 * Milliseconds of a clock that never runs backwards, rounded up: a deadline reckoned from it is never early. Whole numbers
 * because V8 keeps them in place, where every other one would be allocated with every status.
 */
export function now(): number {
  return Math.ceil(performance.now());
}
