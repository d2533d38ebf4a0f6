import { HEADER_BYTES, readHeader } from "./frame.js";
import { NOTHING, PartialBody } from "./partial-body.js";

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
  private partial: PartialBody | undefined;

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
    if (length === 0) return this.breakOff("it announced a message of length 0");
    if (length > this.maxBodyBytes) {
      return this.breakOff(`it announced a message of ${length} bytes, above the limit of ${this.maxBodyBytes}`);
    }
    if (this.end - this.at >= length) return this.wholeBody(length);
    this.partial = new PartialBody(length, Math.min(this.headBytes(length), length));
    return this.continueBody(this.partial);
  }

  private wholeBody(length: number): Body {
    const start = this.at;
    this.at += length;
    const { beganInChunk } = this;
    return { kind: "body", beganInChunk, head: this.chunk, start, end: this.at, tail: NOTHING };
  }

  private continueBody(partial: PartialBody): Body | undefined {
    this.at = partial.take(this.chunk, this.at, this.end);
    if (!partial.isWhole) return undefined;
    this.partial = undefined;
    const { beganInChunk } = this;
    const { head, tail } = partial;
    return { kind: "body", beganInChunk, head, start: 0, end: head.length, tail };
  }

  private breakOff(detail: string): BrokenStream {
    this.broken = { kind: "broken", detail };
    this.chunk = NOTHING;
    return this.broken;
  }
}
