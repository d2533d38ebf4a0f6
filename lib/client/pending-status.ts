import type { AsyncResource } from "node:async_hooks";
import { err, ok, type Result } from "neverthrow";
import type { SendStatusError } from "../errors/error-types.js";
import { listen, unlisten } from "./abort.js";

/** Is called when a status is aborted. */
export interface AbortObserver {
  abort(pending: PendingStatus, reason: unknown): void;
}

/** A status whose caller waits for its outcome. */
export class PendingStatus {
  constructor(
    private readonly signal: AbortSignal | undefined,
    private readonly observer: AbortObserver,
    private readonly settle: (outcome: Result<Uint8Array, SendStatusError>) => void,
    /** The async context of the call that sent it; undefined if nobody subscribes to diagnostics. */
    readonly context: AsyncResource | undefined,
  ) {
    if (signal !== undefined) listen(signal, this);
  }

  complete(command: Uint8Array): void {
    if (this.signal !== undefined) unlisten(this.signal, this);
    this.settle(ok(command));
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
