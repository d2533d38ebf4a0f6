import type { Device, DeviceFilter } from "./device.js";
import { checkFilter, matches } from "./device.js";

/**
 * A device's connect, as it came in; whether the gateway let the device in is another matter.
 *
 * @example
 * const { device, connection } = await gateway.nextConnect();
 */
export interface ReceivedConnect {
  /** What came in. */
  readonly kind: "connect";
  /** Who said so. */
  readonly device: Device;
  /** Which TCP connection it came in on, counted from 1. */
  readonly connection: number;
}

/**
 * A status, as it came in, with the device that it named.
 *
 * @example
 * const { device, status } = await gateway.nextStatus({ deviceRole: "left_button" });
 */
export interface ReceivedStatus {
  /** What came in. */
  readonly kind: "status";
  /** Whom it named. */
  readonly device: Device;
  /** The status's bytes. */
  readonly status: Uint8Array;
  /** Which TCP connection it came in on, counted from 1. */
  readonly connection: number;
}

/**
 * A message that the gateway has received and could read.
 *
 * @example
 * const kinds = gateway.received.map((message: Received) => message.kind); // ["connect", "status"]
 */
export type Received = ReceivedConnect | ReceivedStatus;

/** What has come in, as far as it is kept. */
export interface Journal {
  readonly record: (message: Received) => void;
  readonly latest: () => readonly Received[];
  readonly next: <Kind extends Received["kind"]>(
    kind: Kind,
    which?: DeviceFilter,
  ) => Promise<Extract<Received, { readonly kind: Kind }>>;
  readonly forget: () => void;
  /** Rejects whoever still waits for a message. */
  readonly close: () => void;
}

interface Waiter {
  readonly isMetBy: (message: Received) => boolean;
  readonly resolve: (message: Received) => void;
  readonly reject: (reason: Error) => void;
}

// A soak goes on for days: what is kept of it must have an end, in entries and in memory.
const MOST_ENTRIES = 10_000;
const MOST_STATUS_BYTES = 256 * 1024 * 1024;

export function createJournal(): Journal {
  let entries: (Received | undefined)[] = [];
  let oldest = 0;
  let statusBytes = 0;
  let waiters: Waiter[] = [];
  let closed = false;

  function record(message: Received): void {
    entries.push(message);
    statusBytes += sizeOf(message);
    while (entries.length - oldest > 1 && isFull()) dropOldest();
    if (waiters.length > 0) tellWaiters(message);
  }

  function isFull(): boolean {
    return entries.length - oldest > MOST_ENTRIES || statusBytes > MOST_STATUS_BYTES;
  }

  function dropOldest(): void {
    statusBytes -= sizeOf(entries[oldest]);
    entries[oldest] = undefined;
    oldest += 1;
    // Moving the rest up once per many entries, and not for each, keeps recording at a constant cost.
    if (oldest < MOST_ENTRIES) return;
    entries = entries.slice(oldest);
    oldest = 0;
  }

  function tellWaiters(message: Received): void {
    const met = waiters.filter((waiter) => waiter.isMetBy(message));
    waiters = waiters.filter((waiter) => !met.includes(waiter));
    for (const waiter of met) waiter.resolve(message);
  }

  function next<Kind extends Received["kind"]>(kind: Kind, which?: DeviceFilter) {
    type Wanted = Extract<Received, { readonly kind: Kind }>;
    const promise = new Promise<Wanted>((resolve, reject) => {
      checkFilter("which", which);
      if (closed) throw stopped();
      const isMetBy = (message: Received): boolean => message.kind === kind && matches(message.device, which);
      waiters.push({ isMetBy, resolve: resolve as (message: Received) => void, reject });
    });
    // A test may end without awaiting it; that must not become an unhandled rejection when the gateway stops.
    promise.catch(() => undefined);
    return promise;
  }

  function forget(): void {
    entries = [];
    oldest = 0;
    statusBytes = 0;
  }

  function close(): void {
    closed = true;
    for (const waiter of waiters) waiter.reject(stopped());
    waiters = [];
  }

  function latest(): readonly Received[] {
    return Object.freeze(entries.slice(oldest) as Received[]);
  }

  return { record, latest, next, forget, close };
}

function sizeOf(message: Received | undefined): number {
  return message?.kind === "status" ? message.status.length : 0;
}

function stopped(): Error {
  return new Error("The gateway was stopped before such a message arrived.");
}
