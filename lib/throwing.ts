/**
 * The library for those who like exceptions better: the same names and arguments, but what is an `Err` there is thrown
 * here, as the same error.
 *
 * @packageDocumentation
 */
import type { Err, Ok, ResultAsync } from "neverthrow";
import * as results from "./index.js";
import type {
  ClientHandle,
  CommandsOptions,
  CommandStream,
  Config,
  Module,
  ModuleConfig,
  ModuleDefinition,
  ReusableConfig,
  SendStatusOptions,
  StatusesOptions,
  StatusSource,
} from "./index.js";

export * from "./index.js";

/**
 * Connects a device; throws what {@link results.connect} fails with.
 *
 * @example
 * await using client = await connect(config);
 */
export async function connect(config: Config): Promise<ClientHandle> {
  return unwrap(await results.connect(config));
}

/**
 * Sends a status and waits until a command has come; throws what {@link results.sendStatus} fails with.
 *
 * @example
 * await sendStatus(client, status, { timeoutMs: 2_000 });
 */
export async function sendStatus(
  handle: ClientHandle,
  status: Uint8Array,
  options?: SendStatusOptions,
): Promise<ClientHandle> {
  return unwrap(await results.sendStatus(handle, status, options));
}

/**
 * Sends a status and gives the command that completed it; throws what {@link results.exchange} fails with.
 *
 * @example
 * const command = await exchange(client, status);
 */
export async function exchange(
  handle: ClientHandle,
  status: Uint8Array,
  options?: SendStatusOptions,
): Promise<Uint8Array> {
  return unwrap(await results.exchange(handle, status, options));
}

/**
 * The command that arrived last; throws what {@link results.getCommand} fails with.
 *
 * @example
 * const command = getCommand(client);
 */
export function getCommand(handle: ClientHandle): Uint8Array {
  return unwrap(results.getCommand(handle));
}

/**
 * Sends every status of a source and gives the command for each; throws the first error, and so ends. It is
 * {@link results.statuses} otherwise.
 *
 * @example
 * for await (const command of statuses(client, () => readSensors(), { intervalMs: 1_000 })) act(command);
 */
export function statuses(handle: ClientHandle, source: StatusSource, options?: StatusesOptions): CommandStream {
  return untilError(unwrapEach(results.statuses(handle, source, options)));
}

/**
 * A function that gives the connected client, connecting when need be; throws what {@link results.connect} fails with. It is
 * {@link results.reusable} otherwise.
 *
 * @example
 * const button = reusable({ ...config, keepProcessAlive: false });
 * export const handler = async () => exchange(await button(), status, { timeoutMs: 2_000 });
 */
export function reusable(config: ReusableConfig): () => Promise<ClientHandle> {
  const client = results.reusable(config);
  return async () => unwrap(await client());
}

/**
 * Ends a client; never fails.
 *
 * @example
 * await destroy(client);
 */
export async function destroy(handle: ClientHandle): Promise<void> {
  await results.destroy(handle);
}

/**
 * Connects, hands the client to `use`, and destroys it afterwards on every path. Throws what {@link results.connect} fails with, and
 * what `use` throws, as it is. A Result that `use` returns is unwrapped: its value is given, its error thrown.
 *
 * @example
 * const command = await withClient(config, (client) => exchange(client, status));
 */
export async function withClient<T>(
  config: Config,
  use: (client: ClientHandle) => T | PromiseLike<T>,
): Promise<Unwrapped<T>> {
  return rethrowing((watchedUse) => results.withClient(config, watchedUse), use);
}

/**
 * A module's functions, with its number filled in and its payloads typed; what is an `Err` in {@link Module} is thrown.
 *
 * @example
 * const button: ThrowingModule<ExampleStatus, ExampleCommand> = defineModule(example);
 */
export interface ThrowingModule<Status, Command> extends Required<ModuleDefinition<Status, Command>> {
  /** Connects a device of this module. */
  readonly connect: (config: ModuleConfig) => Promise<ClientHandle>;
  /** Sends a status, written by the module's codec. */
  readonly sendStatus: (handle: ClientHandle, status: Status, options?: SendStatusOptions) => Promise<ClientHandle>;
  /** The command that arrived last, read by the module's codec. */
  readonly getCommand: (handle: ClientHandle) => Command;
  /** Sends a status and gives the command that completed it. */
  readonly exchange: (handle: ClientHandle, status: Status, options?: SendStatusOptions) => Promise<Command>;
  /** A command that the module cannot read rejects that read with `COMMAND_INCORRECT`; reading can go on. */
  readonly commands: (handle: ClientHandle, options?: CommandsOptions) => CommandStream<Command>;
  /** Sends every status of a source and gives what becomes of each. */
  readonly statuses: (
    handle: ClientHandle,
    source: StatusSource<Status>,
    options?: StatusesOptions,
  ) => CommandStream<Command>;
  /** A function that gives the connected client, connecting when need be. */
  readonly reusable: (config: Omit<ModuleConfig, "signal">) => () => Promise<ClientHandle>;
  /** Ends a client. */
  readonly destroy: (handle: ClientHandle) => Promise<void>;
  /** Connects, hands the client to a function, and destroys it afterwards. */
  readonly withClient: <T>(
    config: ModuleConfig,
    use: (client: ClientHandle) => T | PromiseLike<T>,
  ) => Promise<Unwrapped<T>>;
}

/**
 * Makes a module's functions from its definition, or from a module that was made for Results.
 *
 * @example
 * import { example } from "fleet-internal-client/modules/example";
 *
 * const button = defineModule(example);
 * const { lit_up } = await button.exchange(client, { pressed: true });
 */
export function defineModule<Status = Uint8Array, Command = Uint8Array>(
  definition: ModuleDefinition<Status, Command>,
): ThrowingModule<Status, Command> {
  const module: Module<Status, Command> = results.defineModule(definition);
  const { name, number, status, command } = module;
  const connectDevice = async (config: ModuleConfig) => unwrap(await module.connect(config));
  return Object.freeze<ThrowingModule<Status, Command>>({
    name,
    number,
    status,
    command,
    connect: connectDevice,
    sendStatus: async (handle, payload, options) => unwrap(await module.sendStatus(handle, payload, options)),
    getCommand: (handle) => unwrap(module.getCommand(handle)),
    exchange: async (handle, payload, options) => unwrap(await module.exchange(handle, payload, options)),
    commands: (handle, options) => unwrapEach(module.commands(handle, options)),
    statuses: (handle, source, options) => untilError(unwrapEach(module.statuses(handle, source, options))),
    reusable: (config) => {
      const client = module.reusable(config);
      return async () => unwrap(await client());
    },
    destroy,
    withClient: (config, use) => rethrowing((watchedUse) => module.withClient(config, watchedUse), use),
  });
}

/**
 * What a `use` that may return a Result comes to: the Result's value.
 *
 * @example
 * type Command = Unwrapped<Result<Uint8Array, SendStatusError>>; // Uint8Array
 */
export type Unwrapped<T> = T extends Ok<infer Value, unknown> ? Value : T extends Err<unknown, unknown> ? never : T;

type ResultShape<T> = Pick<Ok<T, unknown>, "isErr" | "value"> | Pick<Err<unknown, unknown>, "isErr" | "error">;

function unwrap<T>(result: ResultShape<T>): T {
  if ("error" in result) throw result.error;
  return result.value;
}

/** The Results' `withClient` makes a `NOT_OK` of what `use` throws; here it is to be thrown as it is. */
async function rethrowing<T>(
  withClient: (use: (client: ClientHandle) => Promise<unknown>) => ResultAsync<unknown, unknown>,
  use: (client: ClientHandle) => T | PromiseLike<T>,
): Promise<Unwrapped<T>> {
  let thrown: { readonly error: unknown } | undefined;
  const watchedUse = async (client: ClientHandle) => {
    try {
      return await use(client);
    } catch (error) {
      thrown = { error };
      throw error;
    }
  };
  // What is no function is for the Results' `withClient` to refuse, before it connects.
  const outcome = await withClient(typeof use === "function" ? watchedUse : use);
  if (thrown !== undefined) throw thrown.error;
  return unwrap(outcome) as Unwrapped<T>;
}

function unwrapEach<Value>(stream: CommandStream<ResultShape<Value>>): CommandStream<Value> {
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: async () => {
      const next = await stream.next();
      return next.done === true ? next : { done: false, value: unwrap(next.value) };
    },
    return: async () => {
      await stream[Symbol.asyncDispose]();
      return { done: true, value: undefined };
    },
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  };
}

/** `for await` does not return an iterator whose `next` rejects; here nothing may stay open behind an error. */
function untilError<Value>(stream: CommandStream<Value>): CommandStream<Value> {
  return {
    ...stream,
    next: async () => {
      try {
        return await stream.next();
      } catch (error) {
        await stream[Symbol.asyncDispose]();
        throw error;
      }
    },
  };
}
