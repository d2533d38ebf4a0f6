import { bodyLength, HEADER_BYTES, statusFrame, type Allocate } from "./writer.js";

/** A status to send, in the frame that carries it. */
export interface QueuedStatus<Ticket> {
  readonly frame: Uint8Array;
  readonly timeoutMs: number;
  readonly ticket: Ticket;
}

/** How many statuses may wait for their turn, and how many bytes their frames may take together. */
export interface QueueLimits {
  readonly maxMessageBytes: number;
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
}

/** Why a status was not taken. */
export type QueueRefusal =
  | { readonly reason: "too-large"; readonly bytes: number }
  | { readonly reason: "queue-full"; readonly statuses: number; readonly bytes: number };

/** A larger frame is not kept for a later status: its memory would cost more than a new frame. */
const MAX_SPARE_BYTES = 1024 * 1024 + 1024;

/** The statuses of one device that wait for their turn, and the frames that carry them. */
export class StatusQueue<Ticket> {
  // Nearly always at most one waits: a list would allocate memory for each.
  private first: QueuedStatus<Ticket> | undefined;
  private readonly others: QueuedStatus<Ticket>[] = [];
  private waitingBytes = 0;
  /** A frame that the network has taken, to carry a later status of the same length. */
  private spare: Uint8Array | undefined;

  constructor(
    private readonly deviceBytes: Uint8Array,
    private readonly limits: QueueLimits,
    private readonly allocate?: Allocate,
  ) {}

  get isEmpty(): boolean {
    return this.first === undefined;
  }

  /** Copies the status's bytes, or returns why it cannot take the status. */
  push(status: Uint8Array, timeoutMs: number, ticket: Ticket): QueueRefusal | undefined {
    const bytes = bodyLength(this.deviceBytes, status.length);
    if (bytes > this.limits.maxMessageBytes) return { reason: "too-large", bytes };
    if (this.first !== undefined && this.isFullFor(bytes)) {
      return { reason: "queue-full", statuses: 1 + this.others.length, bytes: this.waitingBytes };
    }
    const queued = { frame: this.frameFor(status, bytes), timeoutMs, ticket };
    if (this.first === undefined) this.first = queued;
    else this.others.push(queued);
    this.waitingBytes += bytes;
    return undefined;
  }

  shift(): QueuedStatus<Ticket> | undefined {
    const { first } = this;
    this.first = this.others.length > 0 ? this.others.shift() : undefined;
    return this.release(first);
  }

  /** Returns whether the status was waiting. */
  remove(ticket: Ticket): boolean {
    if (this.first?.ticket === ticket) return this.shift() !== undefined;
    const at = this.others.findIndex((status) => status.ticket === ticket);
    if (at < 0) return false;
    this.release(this.others.splice(at, 1)[0]);
    return true;
  }

  /** Empties the queue; returns the tickets of the statuses that waited. */
  clear(): Ticket[] {
    const waiting = this.first === undefined ? [] : [this.first, ...this.others.splice(0)];
    this.first = undefined;
    this.spare = undefined;
    this.waitingBytes = 0;
    return waiting.map(({ ticket }) => ticket);
  }

  /** Takes back a frame, to carry a later status. */
  recycle(frame: Uint8Array): void {
    if (frame.length <= MAX_SPARE_BYTES) this.spare = frame;
  }

  private isFullFor(bytes: number): boolean {
    const { maxWaiting, maxWaitingBytes } = this.limits;
    return 1 + this.others.length >= maxWaiting || this.waitingBytes + bytes > maxWaitingBytes;
  }

  private release(status: QueuedStatus<Ticket> | undefined): QueuedStatus<Ticket> | undefined {
    if (status !== undefined) this.waitingBytes -= status.frame.length - HEADER_BYTES;
    return status;
  }

  private frameFor(status: Uint8Array, bytes: number): Uint8Array {
    const { spare } = this;
    // A frame of the same length carries a status of the same length, and everything before the status is the same too.
    if (spare?.length !== HEADER_BYTES + bytes) return statusFrame(this.deviceBytes, status, this.allocate);
    this.spare = undefined;
    spare.set(status, spare.length - status.length);
    return spare;
  }
}
