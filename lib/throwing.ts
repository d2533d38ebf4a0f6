/**
 * The library for those who prefer exceptions: the same functions with the same arguments, but they throw the errors that the
 * main entry point returns.
 *
 * @packageDocumentation
 */
import { err, type Err, type Ok, type Result } from "neverthrow";
import { argumentError, invalidArgument } from "./client/arguments.js";
import { isLastError } from "./client/device-run.js";
import { mapStream, streamOfOne } from "./client/streams.js";
import * as results from "./index.js";
import type {
  ClientHandle,
  CommandsOptions,
  Config,
  RunDeviceError,
  RunDeviceOptions,
  SendStatusesOptions,
  SendStatusOptions,
  Stream,
} from "./index.js";

export * from "./index.js";

/**
 * Connects a device; throws the errors that {@link results.connect} returns.
 *
 * @example
 * await using client = await connect(config);
 */
export async function connect<Status = Uint8Array, Command = Uint8Array>(
  config: Config<Status, Command>,
): Promise<ClientHandle<Status, Command>> {
  return unwrap(await results.connect(config));
}

/**
 * Sends a status and waits until a command has arrived; throws the errors that {@link results.sendStatus} returns.
 *
 * @example
 * await sendStatus(client, status, { timeoutMs: 2_000 });
 */
export async function sendStatus<Status, Command>(
  handle: ClientHandle<Status, Command>,
  status: NoInfer<Status>,
  options?: SendStatusOptions,
): Promise<ClientHandle<Status, Command>> {
  return unwrap(await results.sendStatus(handle, status, options));
}

/**
 * Sends a status and returns the command that completed it; throws the errors that {@link results.exchange} returns.
 *
 * @example
 * const command = await exchange(client, status);
 */
export async function exchange<Status, Command>(
  handle: ClientHandle<Status, Command>,
  status: NoInfer<Status>,
  options?: SendStatusOptions,
): Promise<Command> {
  return unwrap(await results.exchange(handle, status, options));
}

/**
 * Returns the latest command; throws the errors that {@link results.getCommand} returns.
 *
 * @example
 * const command = getCommand(client);
 */
export function getCommand<Status, Command>(handle: ClientHandle<Status, Command>): Exclude<Command, undefined> {
  return unwrap(results.getCommand(handle));
}

/**
 * Yields every command from this call on, and ends by throwing the first error. Otherwise the same as {@link results.commands}.
 *
 * @example
 * for await (const command of commands(client)) act(command);
 */
export function commands<Status, Command>(
  handle: ClientHandle<Status, Command>,
  options?: CommandsOptions,
): Stream<Exclude<Command, undefined>> {
  return unwrapEach(results.commands(handle, options));
}

/**
 * Sends every status of a source and yields the command for each, and ends by throwing the first error. Otherwise the same as
 * {@link results.sendStatuses}.
 *
 * @example
 * for await (const command of sendStatuses(client, every(1_000, () => readSensors()))) act(command);
 */
export function sendStatuses<Status, Command>(
  handle: ClientHandle<Status, Command>,
  source: Iterable<NoInfer<Status>> | AsyncIterable<NoInfer<Status>>,
  options?: SendStatusesOptions,
): Stream<Command> {
  return unwrapEach(results.sendStatuses(handle, source, options));
}

/**
 * How a device runs, and what is called with its failures.
 */
export interface ThrowingRunDeviceOptions extends RunDeviceOptions {
  /** Called with each failure that does not end the device. If it throws, the device ends, and the iteration throws the same. */
  readonly onError?: ((error: RunDeviceError) => void) | undefined;
}

/**
 * Runs a device that stays connected: yields every command, passes each failure to `onError`, and throws only the error that ends the
 * device. Otherwise the same as {@link results.runDevice}.
 *
 * @example
 * for await (const command of runDevice(config, every(1_000, () => readSensors()), { signal, onError: console.warn })) act(command);
 */
export function runDevice<Status = Uint8Array, Command = Uint8Array>(
  config: Omit<Config<Status, Command>, "signal">,
  source: Iterable<NoInfer<Status>> | AsyncIterable<NoInfer<Status>>,
  options?: ThrowingRunDeviceOptions,
): Stream<Exclude<Command, undefined>> {
  try {
    const { onError = () => undefined, ...others } = options ?? {};
    if (typeof onError !== "function") throw invalidArgument("options.onError", onError, "a function");
    // The Results' `runDevice` refuses what is not an object.
    return untilLast(results.runDevice(config, source, typeof options === "object" ? others : options), onError);
  } catch (thrown) {
    return unwrapEach(streamOfOne(err(argumentError(thrown))));
  }
}

function untilLast<Command>(
  items: Stream<Result<Command, RunDeviceError>>,
  onError: (error: RunDeviceError) => void,
): Stream<Command> {
  const next: Stream<Command>["next"] = async () => {
    for (;;) {
      const item = await items.next();
      if (item.done === true) return item;
      if (item.value.isOk()) return { done: false, value: item.value.value };
      if (isLastError(item.value.error)) throw item.value.error;
      onError(item.value.error);
    }
  };
  return untilError({ ...mapStream(items, unwrap), next });
}

/** Resolves when the client's owner has destroyed it; throws the error that destroyed it otherwise. */
export async function closed(handle: Parameters<typeof results.closed>[0]): Promise<void> {
  unwrap(await results.closed(handle));
}

/** Destroys a client; never fails. */
export async function destroy(handle: Parameters<typeof results.destroy>[0]): Promise<void> {
  await results.destroy(handle);
}

/**
 * A function that returns the connected client, and a way to destroy it.
 */
export interface ThrowingLazyClient<Status = Uint8Array, Command = Uint8Array> extends AsyncDisposable {
  /** Returns the client, and connects it first if necessary. */
  (): Promise<ClientHandle<Status, Command>>;
  /** Destroys the client, if there is one; the next call connects again. */
  destroy(): Promise<void>;
}

/**
 * Returns a function that returns the connected client, and connects it when necessary; the function throws what
 * {@link results.connect} fails with. Otherwise the same as {@link results.lazyClient}.
 *
 * @example
 * const button = lazyClient({ ...config, keepProcessAlive: false });
 * export const handler = async () => exchange(await button(), status, { timeoutMs: 2_000 });
 */
export function lazyClient<Status = Uint8Array, Command = Uint8Array>(
  config: Omit<Config<Status, Command>, "signal">,
): ThrowingLazyClient<Status, Command> {
  const client = results.lazyClient(config);
  const end = async (): Promise<void> => unwrap(await client.destroy());
  return Object.assign(async () => unwrap(await client()), { destroy: end, [Symbol.asyncDispose]: end });
}

/**
 * The value of a Result that `use` returns, or anything else that it returns, unchanged.
 */
export type Unwrapped<T> = T extends Ok<infer Value, unknown> ? Value : T extends Err<unknown, unknown> ? never : T;

/**
 * Connects, calls `use(client)`, and destroys the client whatever happens. Throws the errors that {@link results.connect} returns, and what
 * `use` throws, unchanged. A Result that `use` returns is unwrapped: its value is returned, its error thrown.
 *
 * @example
 * const command = await withClient(config, (client) => exchange(client, status));
 */
export async function withClient<T, Status = Uint8Array, Command = Uint8Array>(
  config: Config<Status, Command>,
  use: (client: ClientHandle<Status, Command>) => T | PromiseLike<T>,
): Promise<Unwrapped<T>> {
  let thrown: { readonly error: unknown } | undefined;
  const watchedUse = async (client: ClientHandle<Status, Command>): Promise<unknown> => {
    try {
      return await use(client);
    } catch (error) {
      thrown = { error };
      throw error;
    }
  };
  // The Results' `withClient` refuses what is not a function, before it connects.
  const outcome = await results.withClient<unknown, Status, Command>(
    config,
    typeof use === "function" ? watchedUse : use,
  );
  // The Results' `withClient` turns what `use` throws into a `NOT_OK`; here it is thrown unchanged.
  if (thrown !== undefined) throw thrown.error;
  return unwrap(outcome) as Unwrapped<T>;
}

function unwrap<Value>(result: Result<Value, unknown>): Value {
  if (result.isErr()) throw result.error;
  return result.value;
}

function unwrapEach<Value>(stream: Stream<Result<Value, unknown>>): Stream<Value> {
  return untilError(mapStream(stream, unwrap));
}

/** `for await` does not call `return` after `next` has rejected, and nothing may stay open after an error. */
function untilError<Value>(stream: Stream<Value>): Stream<Value> {
  const next = stream.next.bind(stream);
  return Object.assign(stream, {
    next: async () => {
      try {
        return await next();
      } catch (error) {
        await stream[Symbol.asyncDispose]();
        throw error;
      }
    },
  });
}
