import { HEADER_BYTES } from "./writer.js";

/**
 * A frame's body: `head` from `start` to `end`, and `tail` behind it.
 *
 * A body that arrived whole in one chunk has no tail, and `head` is the chunk: read it before the next chunk. A body that
 * arrived in pieces is split where the decoder was told to split it; its tail is a separate array of exactly its length, so
 * a large payload is copied only once, into the bytes that its receiver keeps.
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

/** The stream no longer consists of frames, so nothing that follows can be trusted. */
export interface BrokenStream {
  readonly kind: "broken";
  readonly detail: string;
}

const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * Cuts a stream of bytes into frames, whatever the chunks in which it arrives.
 *
 * `push` takes bytes, and `next` returns bodies until it returns undefined. After the first
 * framing error the decoder must not be used any more.
 */
export class FrameDecoder {
  private chunks = 0;
  private markedChunks = 0;
  private chunk = NOTHING;
  private at = 0;
  private end = 0;

  /** The bytes of a header that arrived in parts; the last one is the highest. */
  private header = 0;
  private headerFilled = 0;
  private beganInChunk = 0;

  /** The body that has arrived in part. */
  private partial: PartialBody | undefined;

  /**
   * @param maxBodyBytes a longer body is refused before any of it is stored
   * @param reader says where to split a body of that length if it arrives in pieces
   */
  constructor(
    private readonly maxBodyBytes: number,
    private readonly reader: { headLength(bodyLength: number): number },
  ) {}

  /** Bodies whose frame began in a chunk pushed before this call are reported as begun before the mark. */
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
    this.partial = new PartialBody(length, this.reader.headLength(length));
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

// Memory is not allocated for the length that a header announces, but grows as bytes arrive. A large factor copies little:
// when a buffer has to move, it has a sixty-fourth of the size of the next. The first step fits one small body.
const GROWTH_FACTOR = 64;
const MIN_STEP_BYTES = 1024;
/** Above this, a buffer only doubles. */
const MAX_STEP_BYTES = 16 * 1024 * 1024;

/** Collects one body that arrives in pieces: its first bytes as `head`, all others as `tail`. */
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

  /** A separate array of exactly its length, once the body is whole. */
  get tail(): Uint8Array {
    return this.grownTail;
  }

  /** Takes the missing bytes from a chunk, between `at` and `end`; returns where it stopped. */
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
