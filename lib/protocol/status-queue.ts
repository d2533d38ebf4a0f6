import { bodyLength, HEADER_BYTES, statusFrame, type Allocate } from "./writer.js";

/** A status on its way, as the frame that carries it. */
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

/** A larger frame is not kept for a later status: the memory would weigh more than making it again. */
const MAX_SPARE_BYTES = 1024 * 1024 + 1024;

/** The statuses of one device that wait for their turn, and the frames that carry them. */
export class StatusQueue<Ticket> {
  // Nearly always no more than one waits: a list would take memory anew with each.
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

  /** Copies the status's bytes; returns why not, if it takes no more. */
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

  /** Whether it waited. */
  remove(ticket: Ticket): boolean {
    if (this.first?.ticket === ticket) return this.shift() !== undefined;
    const at = this.others.findIndex((status) => status.ticket === ticket);
    if (at < 0) return false;
    this.release(this.others.splice(at, 1)[0]);
    return true;
  }

  /** Lets go of everything; returns the tickets of those that waited. */
  clear(): Ticket[] {
    const waiting = this.first === undefined ? [] : [this.first, ...this.others.splice(0)];
    this.first = undefined;
    this.spare = undefined;
    this.waitingBytes = 0;
    return waiting.map(({ ticket }) => ticket);
  }

  /** A frame that is free to carry a later status. */
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
    // A frame of the same length carries a status of the same length, and all that comes before it is the same too.
    if (spare?.length !== HEADER_BYTES + bytes) return statusFrame(this.deviceBytes, status, this.allocate);
    this.spare = undefined;
    spare.set(status, spare.length - status.length);
    return spare;
  }
}
