import { err, ok, type Result } from "neverthrow";
import { argumentError, checkedStatus, invalidArgument } from "./arguments.js";
import type { CheckedConfig } from "./arguments.js";
import { writeStatus } from "../codecs/payloads.js";
import type { ErrorWith } from "../errors/error-types.js";
import { isInternalClientError } from "../errors/guards.js";
import { InternalClientError } from "../errors/internal-client-error.js";
import { describeDevice, type Device } from "../protocol/device.js";
import { clearTimeout, setTimeout } from "./timers.js";

type SourceError = ErrorWith<"NOT_OK">;

/** What a source yields next. A status is read, encoded and copied at once, so that the same bytes can be repeated. */
export type NextStatus =
  | { readonly kind: "status"; readonly bytes: Uint8Array }
  /** A status that cannot be written; the source goes on. */
  | { readonly kind: "unwritable"; readonly error: SourceError }
  | { readonly kind: "failed"; readonly error: SourceError }
  | { readonly kind: "interrupted" }
  | { readonly kind: "end" };

const END: NextStatus = { kind: "end" };
const INTERRUPTED: NextStatus = { kind: "interrupted" };

interface SourceIterator {
  next(): unknown;
  return?(): unknown;
}

/** Reads a source of statuses, one at a time, and can be stopped whatever the source is doing. */
export class StatusReader {
  private iterator: SourceIterator | undefined;
  private isReading = false;
  private outcome: NextStatus | undefined;
  private isStopped = false;
  private wake: (isTimeOver: boolean) => void = () => undefined;
  /** The last status that could be written. */
  latest: Uint8Array | undefined;

  /** @throws InternalClientError NOT_OK if the source cannot be iterated */
  constructor(
    private readonly source: unknown,
    private readonly client: Pick<CheckedConfig, "device" | "module">,
    private readonly repeatAfterMs: number | undefined,
    private readonly holdsProcess = true,
  ) {
    if (isIterable(source)) return;
    throw invalidArgument(
      "argument source",
      source,
      "an iterable or async iterable of statuses, such as every() returns",
    );
  }

  async next(): Promise<NextStatus> {
    if (this.isStopped) return END;
    if (this.outcome === undefined && !this.isReading) void this.read();
    const isTimeOver = this.outcome === undefined && (await this.pause());
    if (this.hasStopped()) return END;
    if (this.outcome !== undefined) return this.take(this.outcome);
    return isTimeOver && this.latest !== undefined ? { kind: "status", bytes: this.latest } : INTERRUPTED;
  }

  private hasStopped(): boolean {
    return this.isStopped;
  }

  private take(outcome: NextStatus): NextStatus {
    this.outcome = undefined;
    if (outcome.kind === "status") this.latest = outcome.bytes;
    if (outcome.kind === "end" || outcome.kind === "failed") {
      this.iterator = undefined;
      this.isStopped = true;
    }
    return outcome;
  }

  /** Ends a waiting `next` without a loss: the following `next` takes what the source yields. */
  interrupt(): void {
    this.wake(false);
  }

  stop(): void {
    this.isStopped = true;
    this.wake(false);
  }

  /** Calls `return()` of the source. During a read, that may not settle before the read does, which may be never. */
  async close(): Promise<void> {
    this.stop();
    const { iterator } = this;
    this.iterator = undefined;
    try {
      const returned = iterator?.return?.();
      if (this.isReading) void Promise.resolve(returned).catch(() => undefined);
      else await returned;
    } catch {
      // The source is no longer used: what it throws now does not matter.
    }
  }

  private async read(): Promise<void> {
    this.isReading = true;
    try {
      this.iterator ??= iteratorOf(this.source);
      const next = (await this.iterator.next()) as IteratorResult<unknown> | undefined;
      if (typeof next !== "object" || (next as unknown) === null)
        throw new TypeError("next() did not return an object");
      this.outcome = next.done === true ? END : this.written(await next.value);
    } catch (thrown) {
      this.outcome = { kind: "failed", error: sourceError(thrown, this.client.device) };
    }
    this.isReading = false;
    this.wake(false);
  }

  private written(status: unknown): NextStatus {
    const written = this.write(status);
    if (written.isErr()) return { kind: "unwritable", error: written.error };
    return { kind: "status", bytes: new Uint8Array(written.value) };
  }

  private write(status: unknown): Result<Uint8Array, SourceError> {
    const { module, device } = this.client;
    if (module !== undefined) return writeStatus(module, device, status);
    try {
      return ok(checkedStatus(status));
    } catch (thrown) {
      return err(argumentError(thrown));
    }
  }

  /** Waits for the source. Returns whether the last status is due again first. */
  private pause(): Promise<boolean> {
    const delay = this.latest === undefined ? undefined : this.repeatAfterMs;
    return new Promise((resolve) => {
      const timer = delay === undefined ? undefined : setTimeout(() => this.wake(true), delay);
      if (!this.holdsProcess) timer?.unref();
      this.wake = (isTimeOver) => {
        clearTimeout(timer);
        resolve(isTimeOver);
      };
    });
  }
}

function isIterable(source: unknown): boolean {
  // Each number in an array of bytes would be taken for a status.
  if (typeof source !== "object" || source === null || ArrayBuffer.isView(source)) return false;
  return Symbol.asyncIterator in source || Symbol.iterator in source;
}

function iteratorOf(source: unknown): SourceIterator {
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: now } = source as {
    [Symbol.asyncIterator]?: () => SourceIterator;
    [Symbol.iterator]?: () => SourceIterator;
  };
  const iterator = (later ?? now)?.call(source);
  if (iterator === undefined) throw new TypeError("it has no iterator");
  return iterator;
}

function sourceError(cause: unknown, device: Device): SourceError {
  if (isInternalClientError(cause) && cause.code === "NOT_OK") return cause; // a wrong argument of every()
  const message = `the source of statuses threw (${describeDevice(device)}). No further status is sent.`;
  return new InternalClientError("NOT_OK", { reason: "source-failed", message, cause });
}
