import { checkFilter, matches, type DeviceFilter } from "./device.js";
import {
  createEvents,
  MAX_ENTRIES,
  MAX_STATUS_BYTES,
  readAs,
  sizeOf,
  type Events,
  type GatewayEvent,
  type Received,
} from "./events.js";
import { type AnyModule, type StatusOf } from "./modules.js";

/** What has come in, as far as it is kept, and all that happens. */
export interface Journal {
  /** Keeps and tells it. */
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
    checkFilter("which", which);
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
  return new Error("the gateway was stopped before that happened.");
}
