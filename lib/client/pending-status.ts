import { err, type Result } from "neverthrow";
import type { SendStatusError } from "../errors/error-types.js";
import { listen, unlisten } from "./abort.js";

/** A status that was handed in and not yet settled. */
export interface PendingStatus {
  /** Made at the call: the caller's bytes are theirs again. */
  readonly frame: Uint8Array;
  readonly timeoutMs: number;
  complete(command: Uint8Array): void;
  fail(error: SendStatusError): void;
}

/** Whoever is to be told that a status was aborted. */
export interface AbortObserver {
  abort(pending: PendingStatus, reason: unknown): void;
}

/** A status whose caller awaits what `outcomeOf` makes of the command that completes it. */
export class AwaitedStatus<T> implements PendingStatus {
  constructor(
    readonly frame: Uint8Array,
    readonly timeoutMs: number,
    private readonly signal: AbortSignal | undefined,
    private readonly observer: AbortObserver,
    private readonly outcomeOf: (command: Uint8Array) => Result<T, SendStatusError>,
    private readonly settle: (outcome: Result<T, SendStatusError>) => void,
  ) {
    if (signal !== undefined) listen(signal, this);
  }

  complete(command: Uint8Array): void {
    if (this.signal !== undefined) unlisten(this.signal, this);
    this.settle(this.outcomeOf(command));
  }

  fail(error: SendStatusError): void {
    if (this.signal !== undefined) unlisten(this.signal, this);
    this.settle(err(error));
  }

  /** The signal aborts. */
  handleEvent(): void {
    this.observer.abort(this, this.signal?.reason);
  }
}
