import { err, ok, type Result } from "neverthrow";
import type { AnyModule, Module } from "../codecs/module.js";
import { isResult } from "../codecs/result.js";
import type { CommandsError, GetCommandError, SendStatusError } from "../errors/error-types.js";
import { isInternalClientError } from "../errors/guards.js";
import { describeDevice, type Device } from "../protocol/device.js";
import type { CheckedConfig } from "./arguments.js";
import { noHandleError } from "./failure-error.js";
import { DONE, type Stream } from "./mailbox.js";

/**
 * Stands for one client, as a file descriptor stands for an open file. It never changes and holds no state. It can be shared, and used
 * by every copy of the package in the process. Its type says what the device's statuses and commands are: bytes, or the types of its
 * module.
 *
 * @example
 * await using client = await connect(config); // from "fleet-internal-client/throwing"
 */
export interface ClientHandle<Status = Uint8Array, Command = Uint8Array> {
  /** The device, with its priority filled in; `device.module` is the module's number. */
  readonly device: Device;
  /** The device's module; undefined if only its number was given. Not enumerable. */
  readonly module: Module<Status, Command> | undefined;
  /** The gateway's host, as in the config. */
  readonly host: string;
  /** The gateway's port. */
  readonly port: number;
  /** The same as `destroy(handle)`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Returns a text for people: the device, the gateway, and the client's state. */
  toString(): string;
}

/** A handle whose payload types do not matter. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- codecs take and give payloads, so only `any` stands for all of them
export type AnyHandle = ClientHandle<any, any>;

/** What a client does for its handle. */
export interface LivingClient {
  /** For people. */
  readonly state: string;
  readonly isDestroyed: boolean;
  exchange(status: unknown, options: unknown): Promise<Result<Uint8Array, SendStatusError>>;
  getCommand(): Result<Uint8Array, GetCommandError>;
  commands(options: unknown): Stream<Result<Uint8Array, CommandsError>>;
  whenClosed(): Promise<Result<void, SendStatusError>>;
  /** Calls the listener when the client ends, unless the function returned is called before. */
  onClosed(listener: () => void): () => void;
  destroy(): Promise<void>;
}

/** The client behind a handle. It may come from another copy of the package, so the functions may rely on nothing else. */
export interface ClientBehindHandle extends LivingClient {
  readonly device: Device;
  readonly module: AnyModule | undefined;
}

// Registered for the whole process: the package's ES module and CommonJS copies, and each jest test file's realm,
// have to find the client of each other's handles. The number is raised when ClientBehindHandle changes.
const CLIENT = Symbol.for("fleet-internal-client.client.2");
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

type Inspect = (value: unknown, options: unknown) => string;

const handlePrototype = Object.freeze({
  [Symbol.asyncDispose](this: AnyHandle): Promise<void> {
    return clientBehind(this)?.destroy() ?? Promise.resolve();
  },
  toString(this: AnyHandle): string {
    return `ClientHandle(${describeEndpoint(this)}, ${clientBehind(this)?.state ?? "no client"})`;
  },
  [INSPECT](this: AnyHandle, _depth: number, options: object, inspect: Inspect): string {
    const { device, host, port } = this;
    const state = clientBehind(this)?.state ?? "no client";
    return `ClientHandle ${inspect({ device, host, port, state }, options)}`;
  },
});

export function createHandle(client: LivingClient, config: CheckedConfig): AnyHandle {
  const { device, module, host, port } = config;
  const behind = Object.freeze(new OwnClient(client, device, module));
  const handle = Object.assign(Object.create(handlePrototype) as AnyHandle, { device, host, port });
  // Not enumerable, so that a copy made with `{ ...handle }` is not a handle. The client comes first: V8 keeps four properties
  // in the object itself, and each call looks for this one.
  Object.defineProperty(handle, CLIENT, { value: behind });
  Object.defineProperty(handle, "module", { value: module });
  return Object.freeze(handle);
}

/** Everything that can be reached through a handle, and not the client itself. */
class OwnClient implements ClientBehindHandle {
  readonly #client: LivingClient;

  constructor(
    client: LivingClient,
    readonly device: Device,
    readonly module: AnyModule | undefined,
  ) {
    this.#client = client;
  }

  /** A handle that this copy made needs no guard. */
  static is(behind: ClientBehindHandle): behind is OwnClient {
    return #client in behind;
  }

  get state(): string {
    return this.#client.state;
  }

  get isDestroyed(): boolean {
    return this.#client.isDestroyed;
  }

  exchange(status: unknown, options: unknown): Promise<Result<Uint8Array, SendStatusError>> {
    return this.#client.exchange(status, options);
  }

  getCommand(): Result<Uint8Array, GetCommandError> {
    return this.#client.getCommand();
  }

  commands(options: unknown): Stream<Result<Uint8Array, CommandsError>> {
    return this.#client.commands(options);
  }

  whenClosed(): Promise<Result<void, SendStatusError>> {
    return this.#client.whenClosed();
  }

  destroy(): Promise<void> {
    return this.#client.destroy();
  }

  onClosed(listener: () => void): () => void {
    return this.#client.onClosed(listener);
  }
}

Object.freeze(OwnClient.prototype);

/** Returns the client behind a handle; undefined for anything else. Neither it nor the client ever throws or rejects. */
export function clientBehind(handle: unknown): ClientBehindHandle | undefined {
  if (typeof handle !== "object" || handle === null) return undefined;
  try {
    const behind = (handle as { [CLIENT]?: ClientBehindHandle })[CLIENT];
    if (typeof behind?.exchange !== "function") return undefined;
    return OwnClient.is(behind) ? behind : guarded(behind);
  } catch {
    return undefined; // a proxy that throws is not a handle
  }
}

/** Guards the client of another copy of the package. Anything may be stored under the handle's key; what does not behave like a client is refused. */
function guarded(foreign: ClientBehindHandle): ClientBehindHandle | undefined {
  const { module, state } = foreign;
  const device = ownDevice(foreign.device);
  if (device === undefined) return undefined;
  return {
    device,
    module,
    state: typeof state === "string" ? state : "unknown",
    get isDestroyed() {
      return attempt<unknown>(() => foreign.isDestroyed, true) === true;
    },
    exchange: (status, options) => settled(() => foreign.exchange(status, options)),
    getCommand: () => attempt(() => ownResult(foreign.getCommand()), err(noHandleError(foreign))),
    // If this throws, every `next` throws too, and it is caught there.
    commands: (options) => guardedStream(attempt(() => foreign.commands(options), undefined as never)),
    whenClosed: () => settled(() => foreign.whenClosed()),
    destroy: () => settled(() => foreign.destroy()).then(() => undefined),
    onClosed: (listener) => {
      const stop: unknown = attempt(() => foreign.onClosed(listener), undefined);
      return () => attempt(stop as () => void, undefined);
    },
  };
}

/** A copy of a device, for messages; undefined if it is not a device. */
function ownDevice(given: Device): Device | undefined {
  const { module, deviceType, deviceRole, deviceName, priority } = given;
  const areNumbers = [module, deviceType, priority].every((field) => typeof field === "number");
  if (!areNumbers || typeof deviceRole !== "string" || typeof deviceName !== "string") return undefined;
  return Object.freeze({ module, deviceType, deviceRole, deviceName, priority });
}

function attempt<T>(call: () => T, otherwise: T): T {
  try {
    return call();
  } catch {
    return otherwise;
  }
}

async function settled<T, E>(call: () => PromiseLike<unknown>): Promise<Result<T, E>> {
  try {
    return ownResult(await call());
  } catch {
    return err(noHandleError(undefined) as E);
  }
}

/** @throws TypeError unless it is a Result with a value or an error of this library */
function ownResult<T, E>(given: unknown): Result<T, E> {
  if (isResult(given) && given.isOk()) return ok(given.value as T);
  if (isResult(given) && given.isErr() && isInternalClientError(given.error)) return err(given.error as E);
  throw new TypeError("no Result of this library");
}

function guardedStream<Item extends Result<unknown, unknown>>(foreign: Stream<Item>): Stream<Item> {
  let isOver = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: async () => {
      if (isOver) return DONE;
      try {
        const next = await foreign.next();
        return next.done === true ? DONE : { done: false, value: ownResult(next.value) as Item };
      } catch {
        isOver = true;
        return { done: false, value: err(noHandleError(undefined)) as Item };
      }
    },
    return: () => {
      isOver = true;
      return settled(() => foreign[Symbol.asyncDispose]()).then(() => DONE);
    },
    [Symbol.asyncDispose]: () => settled(() => foreign[Symbol.asyncDispose]()).then(() => undefined),
  };
}

/** For people: which device, at which gateway. */
export function describeEndpoint({ device, host, port }: Pick<AnyHandle, "device" | "host" | "port">): string {
  return `${describeDevice(device)}, at ${host.includes(":") ? `[${host}]` : host}:${port}`;
}
