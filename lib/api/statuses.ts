import { err, type Result, type ResultAsync } from "neverthrow";
import { listen, unlisten } from "../client/abort.js";
import { argumentError, checkedInterval, checkedStatusOptions, invalidArgument } from "../client/arguments.js";
import { clientOf, type ClientHandle, type CommandStream } from "../client/handle.js";
import type { SendStatusOptions } from "../client/options.js";
import type { SendStatusError } from "../errors/error-types.js";
import { InternalClientError } from "../errors/internal-client-error.js";
import { exchange } from "./exchange.js";
import { Waiting } from "./waiting.js";

/**
 * Where statuses come from: anything that can be iterated, or a function that is called at an interval.
 *
 * @example
 * const counted: StatusSource = [Uint8Array.of(1), Uint8Array.of(2)];
 * const measured: StatusSource = async () => readSensors();
 */
export type StatusSource<Status = Uint8Array> =
  AsyncIterable<Status> | Iterable<Status> | (() => Status | PromiseLike<Status>);

/**
 * How the statuses of a source are sent; `timeoutMs` holds for each, `signal` ends the whole.
 *
 * @example
 * const options: StatusesOptions = { intervalMs: 1_000, timeoutMs: 2_000, signal: AbortSignal.timeout(60_000) };
 */
export interface StatusesOptions extends SendStatusOptions {
  /**
   * In milliseconds, above 0 and up to 2^31-1. For a function: how often it is called, default 5,000. For an iterable: after how long
   * without a new status the last one is sent again, default never. A gateway cuts a device that is silent for 15 to 30 s.
   */
  readonly intervalMs?: number;
}

/**
 * What becomes of each status: the command that completed it, or the error.
 *
 * @example
 * const outcomes: StatusOutcomes = statuses(client, source);
 * const first = await outcomes.next();
 */
export type StatusOutcomes<Command = Uint8Array> = CommandStream<Result<Command, SendStatusError>>;

/**
 * Sends every status of a source, one at a time, and gives a Result for each: with it, a device is a `for await`.
 *
 * The source is read only when the next outcome is asked for, so a slow consumer slows the source and nothing piles up. It ends
 * when the source ends, when `signal` aborts, and after the error of a client that is destroyed. A source that throws ends
 * it with that as the `cause` of a last `NOT_OK`; the client is intact. Leaving the loop, or `return()`, returns the source too.
 * It never throws; `return()` waits for a status that is under way. The errors are those of {@link exchange}.
 *
 * @example
 * for await (const outcome of statuses(client, () => readSensors(), { intervalMs: 1_000 })) {
 *   outcome.match(act, (error) => console.warn(error.message));
 * }
 */
export function statuses(handle: ClientHandle, source: StatusSource, options?: StatusesOptions): StatusOutcomes {
  return sendEach(handle, source, options, (status) => exchange(handle, status, options));
}

/** {@link statuses}, by any function that sends one. */
export function sendEach<Status, Command>(
  handle: ClientHandle,
  source: StatusSource<Status>,
  options: StatusesOptions | undefined,
  send: (status: Status) => ResultAsync<Command, SendStatusError>,
): StatusOutcomes<Command> {
  const waiting = new Waiting();
  const outcomes = loop(handle, source, options, send, waiting);
  const close = async (): Promise<IteratorReturnResult<undefined>> => {
    waiting.stop(); // or a generator that waits for its source would make `return` wait too
    await outcomes.return(undefined);
    return { done: true, value: undefined };
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => outcomes.next(),
    return: close,
    [Symbol.asyncDispose]: async () => {
      await close();
    },
  };
}

async function* loop<Status, Command>(
  handle: ClientHandle,
  source: StatusSource<Status>,
  options: StatusesOptions | undefined,
  send: (status: Status) => ResultAsync<Command, SendStatusError>,
  waiting: Waiting,
): AsyncGenerator<Result<Command, SendStatusError>, undefined, undefined> {
  let pacing: Pacing;
  let iterator: SourceIterator<Status>;
  let signal: AbortSignal | undefined;
  try {
    ({ signal } = checkedStatusOptions(options));
    pacing = pacingOf(source, options);
    iterator = iteratorOf(source);
  } catch (thrown) {
    yield err(argumentError(thrown));
    return;
  }
  const onAbort = { handleEvent: () => waiting.stop() };
  if (signal !== undefined) listen(signal, onAbort);
  if (signal?.aborted === true) waiting.stop();

  let latest: { readonly status: Status } | undefined;
  let reading: Reading<Status> | undefined;
  const isStopped = () => waiting.isStopped; // the compiler would take the property to stay as it was last seen
  try {
    for (let readAt = performance.now(); ;) {
      await pauseUntil(readAt, waiting);
      readAt = performance.now() + pacing.callEveryMs;
      if (isStopped()) return;
      reading ??= read(iterator, waiting);
      if (reading.outcome === undefined) await waiting.pause(latest === undefined ? undefined : pacing.repeatAfterMs);
      if (isStopped()) return;
      if (reading.outcome !== undefined) {
        const { outcome } = reading;
        reading = undefined;
        if ("thrown" in outcome) {
          yield err(sourceError(outcome.thrown));
          return;
        }
        if (outcome.next.done === true) return;
        latest = { status: outcome.next.value };
      }
      if (latest === undefined) continue;
      yield await send(latest.status);
      if (clientOf(handle)?.isDestroyed !== false) return;
    }
  } finally {
    if (signal !== undefined) unlisten(signal, onAbort);
    // A source that is still being read would answer `return` only after that read, which may be never.
    const returned = returnSource(iterator);
    if (reading === undefined) await returned;
  }
}

interface Pacing {
  /** 0 for a source that sets the pace itself. */
  readonly callEveryMs: number;
  readonly repeatAfterMs: number | undefined;
}

interface SourceIterator<Status> {
  next(): Promise<IteratorResult<Status, unknown>>;
  return?: () => unknown;
}

interface Reading<Status> {
  outcome: { readonly next: IteratorResult<Status, unknown> } | { readonly thrown: unknown } | undefined;
}

const DEFAULT_CALL_EVERY_MS = 5_000;

function pacingOf(source: unknown, options: StatusesOptions | undefined): Pacing {
  const intervalMs = checkedInterval(options);
  return typeof source === "function"
    ? { callEveryMs: intervalMs ?? DEFAULT_CALL_EVERY_MS, repeatAfterMs: undefined }
    : { callEveryMs: 0, repeatAfterMs: intervalMs };
}

function iteratorOf<Status>(source: StatusSource<Status>): SourceIterator<Status> {
  if (typeof source === "function") return { next: async () => ({ done: false, value: await source() }) };
  // Its numbers would each be taken for a status.
  if (!isIterable(source) || ArrayBuffer.isView(source)) throw wrongSource(source);
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
  const iterator = source[Symbol.iterator]();
  return { next: () => Promise.resolve(iterator.next()), return: () => iterator.return?.() };
}

function isIterable(source: unknown): source is object {
  return typeof source === "object" && source !== null && (Symbol.asyncIterator in source || Symbol.iterator in source);
}

function wrongSource(source: unknown): InternalClientError<"NOT_OK"> {
  return invalidArgument("source", source, "an iterable or async iterable of statuses, or a function that gives one");
}

function sourceError(thrown: unknown): InternalClientError<"NOT_OK"> {
  const message = "the source of statuses threw; the client is intact (see cause)";
  return new InternalClientError("NOT_OK", { message, cause: thrown });
}

async function pauseUntil(time: number, waiting: Waiting): Promise<void> {
  const milliseconds = time - performance.now();
  if (milliseconds > 0) await waiting.pause(milliseconds);
}

function read<Status>(iterator: SourceIterator<Status>, waiting: Waiting): Reading<Status> {
  const reading: Reading<Status> = { outcome: undefined };
  const settle = (outcome: Reading<Status>["outcome"]) => {
    reading.outcome = outcome;
    waiting.wake();
  };
  const next = async () => await iterator.next();
  next().then(
    (result) => settle({ next: result }),
    (thrown: unknown) => settle({ thrown }),
  );
  return reading;
}

/** What a source throws when it is left is nobody's business any more. */
async function returnSource(iterator: SourceIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // as said
  }
}
