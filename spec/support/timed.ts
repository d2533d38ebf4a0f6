/** What the call comes to, and the milliseconds from before it until then. */
export async function timed<Value>(call: () => PromiseLike<Value>): Promise<[Value, number]> {
  const begun = performance.now();
  const value = await call();
  return [value, performance.now() - begun];
}
