import { HEADER_BYTES } from "./writer.js";

/**
 * A frame's body: `head` from `start` to `end`, and `tail` behind it.
 *
 * A body that came whole in one chunk is all head, and `head` is the chunk: read it before the next one comes. A body
 * that came in pieces is split where the decoder was told to split it; its tail is an array of its own, with no byte
 * more, so that a large payload is copied once, into the bytes that its receiver keeps.
 */
export interface Body {
  readonly kind: "body";
  /** Whether its frame began in a chunk that was pushed before the last `mark`. */
  readonly beganBeforeMark: boolean;
  readonly head: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly tail: Uint8Array;
}

/** The stream is no longer one of frames: what follows cannot be trusted. */
export interface BrokenStream {
  readonly kind: "broken";
  readonly detail: string;
}

const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * Cuts a stream of bytes into frames, however the network has cut it into chunks.
 *
 * Bytes go in by `push`, bodies come out of `next` until it returns undefined. After the
 * first framing error it is of no more use.
 */
export class FrameDecoder {
  private chunks = 0;
  private markedChunks = 0;
  private chunk = NOTHING;
  private at = 0;
  private end = 0;

  /** The bytes of a header that came in parts; the last one is the highest. */
  private header = 0;
  private headerFilled = 0;
  private beganInChunk = 0;

  /** The body that has come in part. */
  private partial: PartialBody | undefined;

  /**
   * @param maxBodyBytes a longer body is refused before any of it is stored
   * @param headBytes where, within it, a body of that length is split, should it come in pieces
   */
  constructor(
    private readonly maxBodyBytes: number,
    private readonly headBytes: (bodyLength: number) => number,
  ) {}

  /** Bodies whose frame began in a chunk pushed by now are reported as begun before the mark. */
  mark(): void {
    this.markedChunks = this.chunks;
  }

  /** Takes the first `length` bytes of a chunk. The chunk may be overwritten once `next` has returned undefined. */
  push(chunk: Uint8Array, length: number): void {
    this.chunks++;
    this.chunk = chunk;
    this.at = 0;
    this.end = length;
  }

  next(): Body | BrokenStream | undefined {
    if (this.partial !== undefined) return this.continueBody(this.partial);
    if (this.headerFilled === 0 && this.end - this.at >= HEADER_BYTES) {
      this.at += HEADER_BYTES;
      this.beganInChunk = this.chunks;
      return this.beginBody(readHeader(this.chunk, this.at - HEADER_BYTES));
    }
    return this.continueHeader();
  }

  private continueHeader(): Body | BrokenStream | undefined {
    if (this.headerFilled === 0) this.beganInChunk = this.chunks;
    while (this.headerFilled < HEADER_BYTES && this.at < this.end) {
      this.header += (this.chunk[this.at++] as number) * 2 ** (8 * this.headerFilled++);
    }
    if (this.headerFilled < HEADER_BYTES) return undefined;
    const length = this.header;
    this.header = 0;
    this.headerFilled = 0;
    return this.beginBody(length);
  }

  private beginBody(length: number): Body | BrokenStream | undefined {
    if (length === 0) return broken("it announced a message of length 0");
    if (length > this.maxBodyBytes) {
      return broken(`it announced a message of ${length} bytes, above the limit of ${this.maxBodyBytes}`);
    }
    if (this.end - this.at >= length) return this.wholeBody(length);
    this.partial = new PartialBody(length, this.headBytes(length));
    return this.continueBody(this.partial);
  }

  private wholeBody(length: number): Body {
    const start = this.at;
    this.at += length;
    return this.bodyOf(this.chunk, start, this.at, NOTHING);
  }

  private continueBody(partial: PartialBody): Body | undefined {
    this.at = partial.take(this.chunk, this.at, this.end);
    if (!partial.isWhole) return undefined;
    this.partial = undefined;
    return this.bodyOf(partial.head, 0, partial.head.length, partial.tail);
  }

  private bodyOf(head: Uint8Array, start: number, end: number, tail: Uint8Array): Body {
    return { kind: "body", beganBeforeMark: this.beganInChunk <= this.markedChunks, head, start, end, tail };
  }
}

function broken(detail: string): BrokenStream {
  return { kind: "broken", detail };
}

function readHeader(header: Uint8Array, at: number): number {
  const low = (header[at] as number) | ((header[at + 1] as number) << 8) | ((header[at + 2] as number) << 16);
  return low + (header[at + 3] as number) * 0x100_0000;
}

// What a header announces is not allocated but grown into as bytes arrive. A large factor copies little: by the time
// a buffer has to move, it holds a sixty-fourth of the next. The first step is what one small body takes.
const GROWTH_FACTOR = 64;
const MIN_STEP_BYTES = 1024;
/** Beyond this a buffer no more than doubles. */
const MAX_STEP_BYTES = 16 * 1024 * 1024;

/** Gathers one body that comes in pieces: its first bytes as `head`, all others as `tail`. */
class PartialBody {
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

  /** Takes what it lacks from a chunk's bytes between `at` and `end`; returns where it stopped. */
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
    const step = Math.max(2 * arrived, Math.min(GROWTH_FACTOR * arrived, MAX_STEP_BYTES));
    const capacity = Math.min(this.tailLength, Math.max(MIN_STEP_BYTES, step));
    const grown = new Uint8Array(capacity);
    grown.set(this.grownTail);
    this.grownTail = grown;
  }
}

function copy(from: Uint8Array, at: number, count: number, to: Uint8Array, toAt: number): number {
  if (count > 0) to.set(from.subarray(at, at + count), toAt);
  return count;
}
