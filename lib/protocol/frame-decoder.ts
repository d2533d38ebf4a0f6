import { HEADER_BYTES, readHeader } from "./frame.js";

/**
 * A frame's body: `head` from `start` to `end`, and `tail` behind it.
 *
 * A body that stood whole in one chunk is all head, and `head` is the chunk: read it before the next one comes. A body
 * that came in pieces is split where the decoder was told to split it; its tail is an array of its own, with no byte
 * more, so that a large payload is copied once, into the bytes that its receiver keeps.
 */
export interface Body {
  readonly kind: "body";
  /** Which of the chunks pushed its frame began in, counted from 1: what began before a status went out is not its answer. */
  readonly beganInChunk: number;
  readonly head: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly tail: Uint8Array;
}

/** The stream is no longer one of frames: nothing behind this point can be trusted. */
export interface BrokenStream {
  readonly kind: "broken";
  readonly detail: string;
}

const NOTHING: Uint8Array = new Uint8Array(0);

// What a header announces is not allocated but grown into as bytes arrive. A large factor copies little: by the time
// a buffer has to move, it holds a sixty-fourth of the next. The first step is what one small body takes.
const GROWTH_FACTOR = 64;
const FIRST_STEP_BYTES = 1024;
/** Beyond this a buffer no more than doubles. */
const LARGEST_STEP_BYTES = 16 * 1024 * 1024;

/**
 * Cuts a stream of bytes into frames, however the network has cut it into chunks.
 *
 * Bytes come in by `push`, bodies go out by `next` until it gives undefined. The first framing error ends it for good:
 * from then on `next` gives that error.
 */
export class FrameDecoder {
  private chunks = 0;
  private chunk = NOTHING;
  private at = 0;
  private end = 0;

  /** The bytes of a header that did not stand whole in a chunk, the last one that came the highest. */
  private header = 0;
  private headerFilled = 0;
  private beganInChunk = 0;

  /** The body under way, when it did not stand whole in a chunk. */
  private head: Uint8Array | undefined;
  private headFilled = 0;
  private tail = NOTHING;
  private tailFilled = 0;
  private tailLength = 0;

  private broken: BrokenStream | undefined;

  /**
   * @param maxBodyBytes a longer body is refused before any of it is stored
   * @param headBytes where a body of that length is split, should it come in pieces
   */
  constructor(
    private readonly maxBodyBytes: number,
    private readonly headBytes: (bodyLength: number) => number,
  ) {}

  /** How many chunks have been pushed. */
  get chunkCount(): number {
    return this.chunks;
  }

  /** Hands in the first `length` bytes of a chunk. The chunk may be written over once `next` has given undefined. */
  push(chunk: Uint8Array, length = chunk.length): void {
    this.chunks++;
    this.chunk = chunk;
    this.at = 0;
    this.end = length;
  }

  next(): Body | BrokenStream | undefined {
    if (this.broken !== undefined) return this.broken;
    if (this.head !== undefined) return this.continueBody(this.head);
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
    if (length === 0) return this.breakOff("it announced a message of length 0");
    if (length > this.maxBodyBytes) {
      return this.breakOff(`it announced a message of ${length} bytes, above the limit of ${this.maxBodyBytes}`);
    }
    if (this.end - this.at >= length) return this.wholeBody(length);
    const headLength = Math.min(this.headBytes(length), length);
    this.head = new Uint8Array(headLength);
    this.headFilled = 0;
    this.tail = NOTHING;
    this.tailFilled = 0;
    this.tailLength = length - headLength;
    return this.continueBody(this.head);
  }

  private wholeBody(length: number): Body {
    const start = this.at;
    this.at += length;
    const { beganInChunk } = this;
    return { kind: "body", beganInChunk, head: this.chunk, start, end: this.at, tail: NOTHING };
  }

  private continueBody(head: Uint8Array): Body | undefined {
    this.headFilled += this.take(head, this.headFilled, head.length);
    this.continueTail();
    if (this.headFilled < head.length || this.tailFilled < this.tailLength) return undefined;
    const { beganInChunk, tail } = this;
    const body: Body = { kind: "body", beganInChunk, head, start: 0, end: head.length, tail };
    this.head = undefined;
    this.tail = NOTHING;
    return body;
  }

  private continueTail(): void {
    while (this.tailFilled < this.tailLength && this.at < this.end) {
      if (this.tailFilled === this.tail.length) this.growTail();
      this.tailFilled += this.take(this.tail, this.tailFilled, this.tail.length);
    }
  }

  private growTail(): void {
    const arrived = this.tailFilled + (this.end - this.at);
    const step = Math.max(2 * arrived, Math.min(GROWTH_FACTOR * arrived, LARGEST_STEP_BYTES));
    const capacity = Math.min(this.tailLength, Math.max(FIRST_STEP_BYTES, step));
    const grown = new Uint8Array(capacity);
    grown.set(this.tail);
    this.tail = grown;
  }

  /** Copies from the chunk into `target` from `from` up to `until`, as far as the chunk reaches. */
  private take(target: Uint8Array, from: number, until: number): number {
    const count = Math.min(until - from, this.end - this.at);
    if (count > 0) target.set(this.chunk.subarray(this.at, this.at + count), from);
    this.at += count;
    return count;
  }

  private breakOff(detail: string): BrokenStream {
    this.broken = { kind: "broken", detail };
    this.chunk = NOTHING;
    return this.broken;
  }
}
