/**
 * How many bytes of typed arrays are allocated while a function runs. Only arrays made by their length count; a view or
 * a copy is made of bytes that are there.
 */
export function allocatedBytes(run: () => void): number {
  const original = globalThis.Uint8Array;
  let bytes = 0;
  globalThis.Uint8Array = new Proxy(original, {
    construct(target, given: unknown[]) {
      if (typeof given[0] === "number") bytes += given[0];
      return Reflect.construct(target, given) as Uint8Array;
    },
  });
  try {
    run();
  } finally {
    globalThis.Uint8Array = original;
  }
  return bytes;
}
