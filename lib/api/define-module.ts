import type { ResultAsync } from "neverthrow";
import { err, errAsync, ok, type Result } from "neverthrow";
import { wrongModuleError } from "../client/failure-error.js";
import { clientOf, type ClientHandle, type CommandStream } from "../client/handle.js";
import type { CommandsOptions, Config, DeviceConfig, SendStatusOptions } from "../client/options.js";
import type { Codec, PayloadProblem } from "../codecs/codec.js";
import { raw } from "../codecs/raw.js";
import type { ConnectError, GetCommandError, SendStatusError } from "../errors/error-types.js";
import { InternalClientError } from "../errors/internal-client-error.js";
import { commands } from "./commands.js";
import { connect } from "./connect.js";
import { destroy } from "./destroy.js";
import { exchange } from "./exchange.js";
import { getCommand } from "./get-command.js";
import { reusableBy } from "./reusable.js";
import { sendStatus } from "./send-status.js";
import { sendEach, type StatusesOptions, type StatusOutcomes, type StatusSource } from "./statuses.js";
import { isResult } from "./is-result.js";
import { withClient } from "./with-client.js";

/**
 * What a module is: its number and, if wanted, how its statuses and commands are written as bytes.
 *
 * @example
 * const lights: ModuleDefinition<{ on: boolean }> = { name: "lights", number: 1002, status: json<{ on: boolean }>() };
 */
export interface ModuleDefinition<Status = Uint8Array, Command = Uint8Array> {
  /** For error messages. */
  readonly name: string;
  /** The module's number, a whole number from 0 to 2^31-1; from 1000 up they are free for anyone. */
  readonly number: number;
  /** How a status is written. Default: statuses are bytes. */
  readonly status?: Codec<Status>;
  /** How a command is read. Default: commands are bytes. */
  readonly command?: Codec<Command>;
}

/**
 * A {@link Config} whose device leaves out the module's number, which the module fills in.
 *
 * @example
 * const config: ModuleConfig = { host, port, device: { deviceType: 0, deviceRole: "left", deviceName: "button1" } };
 */
export interface ModuleConfig extends Omit<Config, "device"> {
  /** The device that connects, but for its module. */
  readonly device: Omit<DeviceConfig, "module">;
}

/**
 * A command that a module could not read; the bytes are its `payload`. The connection is not harmed.
 *
 * @example
 * if (error.code === "COMMAND_INCORRECT") console.warn(error.message, error.payload); // … at $.lit_up: …, the bytes
 */
export type UnreadableCommandError = InternalClientError<"COMMAND_INCORRECT">;

/**
 * A module's commands as they come, each read or the error that says why it cannot be.
 *
 * @example
 * const stream: ModuleCommandStream<ExampleCommand> = example.commands(client);
 * for await (const command of stream) command.match(act, (error) => console.warn(error.message));
 */
export type ModuleCommandStream<Command> = CommandStream<Result<Command, UnreadableCommandError>>;

/**
 * The library's functions for one module: its number is filled in, its payloads are typed. They do and fail as the functions of the same
 * names, and besides:
 * - a status that the module's codec does not accept is `NOT_OK` (family `usage`), and nothing is sent
 * - a command that it cannot read is `COMMAND_INCORRECT`, with the bytes as `payload`; the connection is not harmed
 * - a handle of another module's device is `CONTEXT_INCORRECT`
 *
 * @example
 * const run = <Status, Command>(module: Module<Status, Command>, client: ClientHandle, status: Status) =>
 *   module.exchange(client, status, { timeoutMs: 2_000 });
 */
export interface Module<Status, Command> extends Required<ModuleDefinition<Status, Command>> {
  /** Connects a device of this module. */
  readonly connect: (config: ModuleConfig) => ResultAsync<ClientHandle, ConnectError>;
  /** Sends a status, written by the module's codec. */
  readonly sendStatus: (
    handle: ClientHandle,
    status: Status,
    options?: SendStatusOptions,
  ) => ResultAsync<ClientHandle, SendStatusError>;
  /** The command that arrived last, read by the module's codec. */
  readonly getCommand: (handle: ClientHandle) => Result<Command, GetCommandError | UnreadableCommandError>;
  /** Sends a status and gives the command that completed it. */
  readonly exchange: (
    handle: ClientHandle,
    status: Status,
    options?: SendStatusOptions,
  ) => ResultAsync<Command, SendStatusError>;
  /** Every command from this call on, each read or the error that says why it cannot be. */
  readonly commands: (handle: ClientHandle, options?: CommandsOptions) => ModuleCommandStream<Command>;
  /** Sends every status of a source and gives what becomes of each. */
  readonly statuses: (
    handle: ClientHandle,
    source: StatusSource<Status>,
    options?: StatusesOptions,
  ) => StatusOutcomes<Command>;
  /** A function that gives the connected client, connecting when need be. */
  readonly reusable: (config: Omit<ModuleConfig, "signal">) => () => ResultAsync<ClientHandle, ConnectError>;
  /** Ends a client. */
  readonly destroy: (handle: ClientHandle) => ResultAsync<void, never>;
  /** Connects, hands the client to a function, and destroys it afterwards. */
  readonly withClient: WithModuleClient;
}

/**
 * As {@link withClient}, for a device of the module.
 *
 * @example
 * const command = await example.withClient(config, (client) => example.exchange(client, { pressed: true }));
 */
export interface WithModuleClient {
  /** For a `use` that returns a Result, at once or later. */
  <T, E>(
    config: ModuleConfig,
    use: (client: ClientHandle) => Result<T, E> | PromiseLike<Result<T, E>>,
  ): ResultAsync<T, E | ConnectError>;
  /** For a `use` that returns a plain value, at once or later. */
  <T>(config: ModuleConfig, use: (client: ClientHandle) => T | PromiseLike<T>): ResultAsync<T, ConnectError>;
}

/**
 * Makes a module's functions from its definition.
 *
 * @example
 * const exampleButton = defineModule({ name: "example", number: 1000, status: json<ButtonStatus>(), command: json(isButtonCommand) });
 * const command = await exampleButton
 *   .connect({ host, port, device: { deviceType: 0, deviceRole: "left", deviceName: "button1" } })
 *   .andThen((button) => exampleButton.exchange(button, { pressed: true }));
 */
export function defineModule<Status = Uint8Array, Command = Uint8Array>(
  definition: ModuleDefinition<Status, Command>,
): Module<Status, Command> {
  // Where a definition gives no codec, its payload type is the default: bytes.
  const status = definition.status ?? (raw as unknown as Codec<Status>);
  const command = definition.command ?? (raw as unknown as Codec<Command>);
  const { name, number } = definition;

  const withModule = (config: ModuleConfig): Config => {
    try {
      if (isObject(config) && isObject(config.device))
        return { ...config, device: { ...config.device, module: number } };
    } catch {
      // It threw when it was read, and does so again.
    }
    return config as Config; // connect says what is wrong with it
  };

  const belongsHere = (handle: ClientHandle): Result<void, InternalClientError<"CONTEXT_INCORRECT">> =>
    clientOf(handle) === undefined || handle.device.module === number
      ? ok(undefined) // what is no handle at all is for the function itself to say
      : err(wrongModuleError(name, number, handle));

  const write = (payload: Status): Result<Uint8Array, InternalClientError<"NOT_OK">> =>
    attempt(() => status.encode(payload)).mapErr((problem) => unwritable(name, problem));

  const read = (bytes: Uint8Array): Result<Command, UnreadableCommandError> =>
    attempt(() => command.decode(bytes)).mapErr((problem) => unreadable(name, problem, bytes));

  const exchangePayload: Module<Status, Command>["exchange"] = (handle, payload, options) => {
    const bytes = written(handle, payload);
    return bytes.isErr() ? errAsync(bytes.error) : exchange(handle, bytes.value, options).andThen(read);
  };

  const written = (handle: ClientHandle, payload: Status) => belongsHere(handle).andThen(() => write(payload));

  return Object.freeze<Module<Status, Command>>({
    name,
    number,
    status,
    command,
    connect: (config) => connect(withModule(config)),
    sendStatus: (handle, payload, options) => {
      const bytes = written(handle, payload);
      return bytes.isErr() ? errAsync(bytes.error) : sendStatus(handle, bytes.value, options);
    },
    getCommand: (handle) =>
      belongsHere(handle)
        .andThen(() => getCommand(handle))
        .andThen(read),
    exchange: exchangePayload,
    commands: (handle, options) => readEach(commands(belongsHere(handle).isOk() ? handle : NO_HANDLE, options), read),
    statuses: (handle, source, options) =>
      sendEach(handle, source, options, (payload) => exchangePayload(handle, payload, options)),
    reusable: (config) => reusableBy(() => connect(withModule(config))),
    destroy,
    withClient: (config: ModuleConfig, use: (client: ClientHandle) => unknown) => withClient(withModule(config), use),
  });
}

const NO_HANDLE = null as unknown as ClientHandle;

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** A codec is the user's code: whatever it does, the outcome is a Result. */
function attempt<T>(code: () => Result<T, PayloadProblem>): Result<T, PayloadProblem> {
  try {
    const result: unknown = code();
    return isResult(result)
      ? (result as Result<T, PayloadProblem>)
      : err({ path: "$", message: "its codec gave no Result" });
  } catch (cause) {
    return err({ path: "$", message: "its codec threw", cause });
  }
}

function unwritable(module: string, { path, message, cause }: PayloadProblem): InternalClientError<"NOT_OK"> {
  const text = `the status of module ${JSON.stringify(module)} cannot be written: at ${path}, ${message}; nothing was sent`;
  return new InternalClientError("NOT_OK", cause === undefined ? { message: text } : { message: text, cause });
}

function unreadable(module: string, problem: PayloadProblem, payload: Uint8Array): UnreadableCommandError {
  const { path, message, cause } = problem;
  const text = `the command to module ${JSON.stringify(module)} cannot be read: at ${path}, ${message}; its bytes are this error's payload`;
  return new InternalClientError(
    "COMMAND_INCORRECT",
    cause === undefined ? { message: text, payload } : { message: text, payload, cause },
  );
}

/** Not a generator: one that was never read from would not pass `return` on, and the reader would stay subscribed. */
function readEach<Command>(
  stream: CommandStream,
  read: (bytes: Uint8Array) => Result<Command, UnreadableCommandError>,
): ModuleCommandStream<Command> {
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: async () => {
      const next = await stream.next();
      return next.done === true ? next : { done: false, value: read(next.value) };
    },
    return: async () => {
      await stream[Symbol.asyncDispose]();
      return { done: true, value: undefined };
    },
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  };
}
