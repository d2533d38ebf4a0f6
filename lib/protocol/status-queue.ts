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
  private readonly waiting: QueuedStatus<Ticket>[] = [];
  private waitingBytes = 0;
  /** A frame that the network has taken, to carry a later status of the same length. */
  private spare: Uint8Array | undefined;

  constructor(
    private readonly deviceBytes: Uint8Array,
    private readonly limits: QueueLimits,
    private readonly allocate?: Allocate,
  ) {}

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /** Copies the status's bytes; returns why not, if it takes no more. */
  push(status: Uint8Array, timeoutMs: number, ticket: Ticket): QueueRefusal | undefined {
    const { limits, waiting } = this;
    const bytes = bodyLength(this.deviceBytes, status.length);
    if (bytes > limits.maxMessageBytes) return { reason: "too-large", bytes };
    const isFull = waiting.length >= limits.maxWaiting || this.waitingBytes + bytes > limits.maxWaitingBytes;
    if (isFull && waiting.length > 0) {
      return { reason: "queue-full", statuses: waiting.length, bytes: this.waitingBytes };
    }
    waiting.push({ frame: this.frameFor(status, bytes), timeoutMs, ticket });
    this.waitingBytes += bytes;
    return undefined;
  }

  shift(): QueuedStatus<Ticket> | undefined {
    return this.release(this.waiting.shift());
  }

  /** Whether it waited. */
  remove(ticket: Ticket): boolean {
    const at = this.waiting.findIndex((status) => status.ticket === ticket);
    if (at < 0) return false;
    this.release(this.waiting.splice(at, 1)[0]);
    return true;
  }

  /** Lets go of everything; returns the tickets of those that waited. */
  clear(): Ticket[] {
    this.spare = undefined;
    this.waitingBytes = 0;
    return this.waiting.splice(0).map(({ ticket }) => ticket);
  }

  /** A frame that is free to carry a later status. */
  recycle(frame: Uint8Array): void {
    if (frame.length <= MAX_SPARE_BYTES) this.spare = frame;
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
