import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { clearTimeout, setTimeout } from "./timers.js";
import { toError } from "./to-error.js";

/** The pause before a further attempt that RFC 8305 recommends. */
const STEP_MS = 250;
/** Limits the length of an error about the many addresses of a hostile resolver. */
const MAX_NAMED = 20;

export type Lookup = (
  host: string,
  options: { readonly all: true; readonly verbatim: true },
  callback: (error: Error | null, found: LookupAddress[]) => void,
) => void;

const realTimers = { setTimeout, clearTimeout };

export interface DialEvents {
  /** Connects to this address, in parallel with the earlier ones. What it throws is the failure of this attempt. */
  attempt(address: string): void;
  /** The look-up failed, or every attempt did. The call can come before `start` returns. */
  exhausted(cause: Error): void;
}

/**
 * Looks a host name up and decides when to attempt which of its addresses, as RFC 8305 does: in the resolver's order with
 * the families interleaved, another one every 250 ms or as soon as one fails. An attempt that has begun goes on until its
 * owner stops it.
 */
export class Dial {
  /** Undefined while the look-up runs. */
  private addresses: readonly string[] | undefined;
  private begun = 0;
  private readonly unanswered = new Set<string>();
  private readonly errors: Error[] = [];
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(
    private readonly host: string,
    private readonly events: DialEvents,
    private readonly timers = realTimers,
  ) {}

  start(lookup: Lookup = systemLookup): void {
    try {
      lookup(this.host, { all: true, verbatim: true }, (error, found) => this.found(error, found));
    } catch (thrown) {
      this.found(toError(thrown), []);
    }
  }

  /** Further reports about the same address are ignored. */
  failed(address: string, cause: Error): void {
    if (!this.unanswered.delete(address)) return;
    this.errors.push(cause);
    this.next();
  }

  stop(): void {
    this.isStopped = true;
    this.timers.clearTimeout(this.timer);
  }

  /** What has kept the host from being connected so far. */
  get obstacle(): Error {
    const { errors, unanswered } = this;
    const [only] = errors;
    if (this.addresses === undefined) return new Error(`the look-up of ${this.host} has not finished`);
    if (only !== undefined && errors.length === 1 && unanswered.size === 0) return only;
    const named = errors.map(({ message }) => message);
    for (const address of unanswered) named.push(`no answer from ${address}`);
    const rest = named.length > MAX_NAMED ? `; and ${named.length - MAX_NAMED} more` : "";
    const error = new AggregateError(errors, named.slice(0, MAX_NAMED).join("; ") + rest);
    return only === undefined ? error : Object.assign(error, { code: (only as NodeJS.ErrnoException).code });
  }

  /** A resolver may call back more than once, or call back and throw. */
  private found(error: Error | null | undefined, found: unknown): void {
    if (this.isStopped || this.addresses !== undefined) return;
    const [addresses, failure] = error ? [[], toError(error)] : readAddresses(this.host, found);
    this.addresses = addresses;
    if (failure === undefined) return this.next();
    this.errors.push(failure);
    this.events.exhausted(failure);
  }

  private next(): void {
    if (this.isStopped) return;
    this.timers.clearTimeout(this.timer);
    const { addresses = [] } = this;
    for (let address = addresses[this.begun]; address !== undefined; address = addresses[this.begun]) {
      this.begun += 1;
      if (this.attempt(address)) return this.pace();
    }
    if (this.unanswered.size === 0) this.events.exhausted(this.obstacle);
  }

  private attempt(address: string): boolean {
    this.unanswered.add(address);
    try {
      this.events.attempt(address);
      return true;
    } catch (thrown) {
      this.unanswered.delete(address);
      this.errors.push(toError(thrown));
      return false;
    }
  }

  private pace(): void {
    if (this.begun === this.addresses?.length) return;
    this.timer = this.timers.setTimeout(() => this.next(), STEP_MS);
    this.timer.unref(); // if anything keeps the process alive, it is the attempts under way
  }
}

function readAddresses(host: string, found: unknown): [string[], Error?] {
  const addresses = new Set<string>();
  for (const entry of Array.isArray(found) ? found : []) {
    const address = (entry as Partial<LookupAddress> | null)?.address;
    if (typeof address === "string" && isIP(address) !== 0) addresses.add(address);
  }
  if (addresses.size === 0) return [[], new Error(`the look-up of ${host} returned no address`)];
  return [interleaveFamilies([...addresses])];
}

/** The first address's family comes first, then they take turns. */
function interleaveFamilies(addresses: readonly string[]): string[] {
  const isOfFirstFamily = (address: string): boolean => isIP(address) === isIP(addresses[0] ?? "");
  const first = addresses.filter(isOfFirstFamily);
  const second = addresses.filter((address) => !isOfFirstFamily(address));
  return addresses.flatMap((_, index) => [...first.slice(index, index + 1), ...second.slice(index, index + 1)]);
}
