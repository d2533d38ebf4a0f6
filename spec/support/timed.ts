/** What the call comes to, and the milliseconds from before it until then. */
export async function timed<Value>(call: () => PromiseLike<Value>): Promise<[Value, number]> {
  const begun = performance.now();
  const value = await call();
  return [value, performance.now() - begun];
}

/**
 * The least that a delay of that many milliseconds takes where it is one of Node's timers, as the testing gateway's are: they
 * count whole milliseconds from the last one that began, and leave out a fraction. The library's own limits hold exactly.
 */
export function byNodeTimer(milliseconds: number): number {
  return milliseconds - 2;
}

/** What settles at once takes less, however long the machine stands still; what would end it otherwise must take twice as much. */
export const AT_ONCE_MS = 10_000;
