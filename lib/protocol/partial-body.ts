export const NOTHING: Uint8Array = new Uint8Array(0);

// What a header announces is not allocated but grown into as bytes arrive. A large factor copies little: by the time
// a buffer has to move, it holds a sixty-fourth of the next. The first step is what one small body takes.
const GROWTH_FACTOR = 64;
const FIRST_STEP_BYTES = 1024;
/** Beyond this a buffer no more than doubles. */
const LARGEST_STEP_BYTES = 16 * 1024 * 1024;

/** Gathers one body that comes in pieces: its first bytes as `head`, all others as `tail`. */
export class PartialBody {
  readonly head: Uint8Array;
  private headFilled = 0;
  private grownTail = NOTHING;
  private tailFilled = 0;
  private readonly tailLength: number;

  constructor(length: number, headLength: number) {
    this.head = new Uint8Array(headLength);
    this.tailLength = length - headLength;
  }

  get isWhole(): boolean {
    return this.headFilled === this.head.length && this.tailFilled === this.tailLength;
  }

  /** An array of its own with no byte more, once the body is whole. */
  get tail(): Uint8Array {
    return this.grownTail;
  }

  /** Takes what it lacks from a chunk's bytes between `at` and `end`; gives where it stopped. */
  take(chunk: Uint8Array, at: number, end: number): number {
    let next = at;
    const forHead = Math.min(this.head.length - this.headFilled, end - next);
    next += copy(chunk, next, forHead, this.head, this.headFilled);
    this.headFilled += forHead;
    while (this.tailFilled < this.tailLength && next < end) {
      if (this.tailFilled === this.grownTail.length) this.growTail(end - next);
      const forTail = Math.min(this.grownTail.length - this.tailFilled, end - next);
      next += copy(chunk, next, forTail, this.grownTail, this.tailFilled);
      this.tailFilled += forTail;
    }
    return next;
  }

  private growTail(waiting: number): void {
    const arrived = this.tailFilled + waiting;
    const step = Math.max(2 * arrived, Math.min(GROWTH_FACTOR * arrived, LARGEST_STEP_BYTES));
    const capacity = Math.min(this.tailLength, Math.max(FIRST_STEP_BYTES, step));
    const grown = new Uint8Array(capacity);
    grown.set(this.grownTail);
    this.grownTail = grown;
  }
}

function copy(from: Uint8Array, at: number, count: number, to: Uint8Array, toAt: number): number {
  if (count > 0) to.set(from.subarray(at, at + count), toAt);
  return count;
}
