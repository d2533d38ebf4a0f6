import { checkFilter, type Device, type DeviceFilter, matches } from "./device.js";
import { type AnyModule, decodeStatus, type StatusOf } from "./modules.js";

/**
 * A device's connect, and how the gateway answered it.
 *
 * @example
 * const { device, response } = await gateway.nextConnect();
 */
export interface ReceivedConnect {
  /** What arrived. */
  readonly kind: "connect";
  /** Which device it named. */
  readonly device: Device;
  /**
   * The response type: 0 OK, 1 already connected, 2 module not supported, 3 device type not supported, 4 higher priority
   * already connected; another, if a fault refused with it. A fault may still keep it from arriving. `undefined`: none was
   * sent, because the connection already has a device or a fault keeps it silent.
   */
  readonly response: number | undefined;
  /** The number of its TCP connection, counted from 1. */
  readonly connection: number;
}

/**
 * A status as it arrived, with the device that it named.
 *
 * @example
 * const { device, status } = await gateway.nextStatus({ deviceRole: "left_button" });
 */
export interface ReceivedStatus<Status = Uint8Array> {
  /** What arrived. */
  readonly kind: "status";
  /** Which device it named. */
  readonly device: Device;
  /** The status: bytes, or the module's own type if `which.module` is a module by value. */
  readonly status: Status;
  /** The number of its TCP connection, counted from 1. */
  readonly connection: number;
}

/**
 * A message that the gateway has received and could read.
 *
 * @example
 * const kinds = gateway.received.map((message: Received) => message.kind); // ["connect", "status"]
 */
export type Received = ReceivedConnect | ReceivedStatus;

/**
 * A device that the gateway had accepted is no longer connected.
 *
 * @example
 * expect((await gateway.nextDisconnect()).by).toBe("device");
 */
export interface Disconnect {
  /** What happened. */
  readonly kind: "disconnect";
  /** As it named itself when it connected. */
  readonly device: Device;
  /** The number of its TCP connection, counted from 1. */
  readonly connection: number;
  /** Which side ended the connection. */
  readonly by: "device" | "gateway";
}

/**
 * What happens at a gateway.
 *
 * @example
 * for await (const event of gateway.events()) console.log(event.kind, event.device.deviceRole);
 */
export type GatewayEvent<Status = Uint8Array> = ReceivedConnect | ReceivedStatus<Status> | Disconnect;

/** The event as the filter's module reads it; throws a TypeError if it cannot read the status. */
function readAs<Module extends AnyModule>(
  event: GatewayEvent,
  which: DeviceFilter<Module> | undefined,
): GatewayEvent<StatusOf<Module>> {
  if (event.kind !== "status") return event;
  return { ...event, status: decodeStatus(which?.module, event.status, event.device) as StatusOf<Module> };
}

// A soak runs for days, so what is kept is limited, in entries and in memory.
export const MAX_ENTRIES = 10_000;
export const MAX_STATUS_BYTES = 256 * 1024 * 1024;

/** Iterates over everything that happens. */
export interface Events {
  readonly tell: (event: GatewayEvent) => void;
  readonly read: <Module extends AnyModule>(
    which?: DeviceFilter<Module>,
    signal?: AbortSignal,
  ) => AsyncIterableIterator<GatewayEvent<StatusOf<Module>>>;
  readonly close: () => void;
}

interface Reader {
  readonly which: DeviceFilter | undefined;
  unread: GatewayEvent[];
  bytes: number;
  /** It can still read what it has; nothing is added. */
  isOver: boolean;
  hasFallenBehind: boolean;
  wake: () => void;
}

export function createEvents(): Events {
  const readers = new Set<Reader>();
  let isClosed = false;

  function tell(event: GatewayEvent): void {
    for (const reader of readers) {
      if (!matches(event.device, reader.which)) continue;
      reader.unread.push(event);
      reader.bytes += sizeOf(event);
      if (reader.unread.length > MAX_ENTRIES || reader.bytes > MAX_STATUS_BYTES) dismiss(reader);
      reader.wake();
    }
  }

  /** Keeps nothing for a reader that does not read; that reader gets an error, so no event is lost silently. */
  function dismiss(reader: Reader): void {
    reader.unread = [];
    reader.hasFallenBehind = true;
    end(reader);
  }

  function end(reader: Reader): void {
    readers.delete(reader);
    reader.isOver = true;
    reader.wake();
  }

  function read<Module extends AnyModule>(
    which: DeviceFilter<Module> | undefined,
    signal: AbortSignal | undefined,
  ): AsyncIterableIterator<GatewayEvent<StatusOf<Module>>> {
    const reader: Reader = {
      which,
      unread: [],
      bytes: 0,
      isOver: false,
      hasFallenBehind: false,
      wake: () => undefined,
    };
    const onAbort = (): void => end(reader);
    readers.add(reader);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (isClosed || signal?.aborted === true) end(reader);

    async function next(): Promise<IteratorResult<GatewayEvent<StatusOf<Module>>, undefined>> {
      for (;;) {
        const event = reader.unread.shift();
        if (event !== undefined) {
          reader.bytes -= sizeOf(event);
          return { done: false, value: readAs(event, which) };
        }
        if (reader.isOver) return finish();
        await new Promise<void>((resolve) => (reader.wake = resolve));
      }
    }

    function finish(): { readonly done: true; readonly value: undefined } {
      signal?.removeEventListener("abort", onAbort);
      end(reader);
      if (!reader.hasFallenBehind) return { done: true, value: undefined };
      reader.hasFallenBehind = false;
      throw new Error(
        `this reader fell behind: more than ${MAX_ENTRIES} events or ${MAX_STATUS_BYTES} bytes of statuses were unread. Read faster.`,
      );
    }

    return {
      next,
      return: () => {
        reader.unread = [];
        reader.hasFallenBehind = false;
        return Promise.resolve(finish());
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  function close(): void {
    isClosed = true;
    for (const reader of readers) end(reader);
  }

  return { tell, read, close };
}

function sizeOf(message: GatewayEvent | undefined): number {
  return message?.kind === "status" ? message.status.length : 0;
}

/** Records what arrived, within limits, and reports what happens. */
export interface Journal {
  /** Records an event, and reports it to those who wait. */
  readonly record: (message: Received) => void;
  readonly tell: (event: GatewayEvent) => void;
  readonly latest: () => readonly Received[];
  readonly next: <Kind extends GatewayEvent["kind"], Module extends AnyModule = number>(
    kind: Kind,
    which?: DeviceFilter<Module>,
  ) => Promise<Extract<GatewayEvent<StatusOf<Module>>, { readonly kind: Kind }>>;
  readonly events: Events["read"];
  readonly forget: () => void;
  /** Ends all waiting: `next` rejects, `events` ends. */
  readonly close: () => void;
}

interface Waiter {
  readonly isMetBy: (event: GatewayEvent) => boolean;
  readonly resolve: (event: GatewayEvent) => void;
  readonly reject: (reason: Error) => void;
}

export function createJournal(): Journal {
  let entries: (Received | undefined)[] = [];
  let oldest = 0;
  let statusBytes = 0;
  let waiters: Waiter[] = [];
  let closed = false;
  const events = createEvents();

  function record(message: Received): void {
    entries.push(message);
    statusBytes += sizeOf(message);
    while (entries.length - oldest > 1 && isFull()) dropOldest();
    tell(message);
  }

  function isFull(): boolean {
    return entries.length - oldest > MAX_ENTRIES || statusBytes > MAX_STATUS_BYTES;
  }

  function dropOldest(): void {
    statusBytes -= sizeOf(entries[oldest]);
    entries[oldest] = undefined;
    oldest += 1;
    // Moving the rest up once per many entries, and not for each, keeps recording at a constant cost.
    if (oldest < MAX_ENTRIES) return;
    entries = entries.slice(oldest);
    oldest = 0;
  }

  function tell(event: GatewayEvent): void {
    events.tell(event);
    if (waiters.length === 0) return;
    const met = waiters.filter((waiter) => waiter.isMetBy(event));
    waiters = waiters.filter((waiter) => !met.includes(waiter));
    for (const waiter of met) waiter.resolve(event);
  }

  async function next<Kind extends GatewayEvent["kind"], Module extends AnyModule = number>(
    kind: Kind,
    which?: DeviceFilter<Module>,
  ) {
    checkFilter("argument which", which);
    const promise = new Promise<GatewayEvent>((resolve, reject) => {
      if (closed) throw stopped();
      const isMetBy = (event: GatewayEvent): boolean => event.kind === kind && matches(event.device, which);
      waiters.push({ isMetBy, resolve, reject });
    });
    return readAs(await promise, which) as Extract<GatewayEvent<StatusOf<Module>>, { readonly kind: Kind }>;
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
    events.close();
  }

  function latest(): readonly Received[] {
    return Object.freeze(entries.slice(oldest) as Received[]);
  }

  return {
    record,
    tell,
    latest,
    next: (kind, which) => {
      const promise = next(kind, which);
      // A test may end without awaiting it; that must not become an unhandled rejection when the gateway stops.
      promise.catch(() => undefined);
      return promise;
    },
    events: events.read,
    forget,
    close,
  };
}

function stopped(): Error {
  return new Error("the gateway was stopped while this call was waiting.");
}
