import { types } from "node:util";

export interface Work {
  /** Bytes in all arrays that were made. */
  readonly allocated: number;
  /** Bytes that were copied from one array to another. */
  readonly copied: number;
  /** How many times bytes were copied. */
  readonly copies: number;
}

/** A larger array is refused: a spec should fail by its count and not by taking the memory. */
const MOST_AT_ONCE = 64 * 1024 * 1024;

/** Counts what `run` does with byte arrays, by a `Uint8Array` that keeps account in place of the realm's own. */
export function workOf(run: () => void): Work {
  const work = { allocated: 0, copied: 0, copies: 0 };
  const count = (bytes: number): void => {
    work.copied += bytes;
    work.copies += 1;
  };
  const Original = globalThis.Uint8Array;

  class CountingUint8Array extends Original {
    constructor(first: number | ArrayBuffer | ArrayLike<number>, offset?: number, length?: number) {
      if (typeof first === "number" && first > MOST_AT_ONCE) throw new Error(`${first} bytes allocated at once`);
      super(first as ArrayBuffer, offset, length);
      if (types.isAnyArrayBuffer(first)) return; // a view of bytes that are there already
      work.allocated += this.length;
      if (typeof first !== "number") count(this.length);
    }

    override set(source: ArrayLike<number>, offset?: number): void {
      count(source.length);
      super.set(source, offset);
    }

    override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
      const copy = super.slice(start, end);
      count(copy.length);
      return copy;
    }
  }

  globalThis.Uint8Array = CountingUint8Array as unknown as typeof Original;
  try {
    run();
  } finally {
    globalThis.Uint8Array = Original;
  }
  return work;
}
