import type { Result } from "neverthrow";
import type { GetCommandError, SendStatusError } from "../errors/error-types.js";
import type { Device } from "../protocol/device.js";

/**
 * Names one client, as a file descriptor names an open file. It never changes and holds no state; what it names lives
 * inside the library. It can be shared freely, and used by every copy of the package in the process.
 *
 * @example
 * await using client = await connect(config); // from "fleet-internal-client/throwing"
 */
export interface ClientHandle {
  /** The device as it was connected, its priority filled in. */
  readonly device: Device;
  /** The gateway's host as it was given. */
  readonly host: string;
  /** The gateway's port. */
  readonly port: number;
  /** The same as `destroy(handle)`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
  /** For people: the device, the endpoint and what state its client is in. */
  toString(): string;
}

/**
 * What `commands` gives: to be read with `for await`, `next()` or Node's streams.
 *
 * @example
 * const stream: CommandStream = commands(client);
 * const next = await stream.next(); // { done: false, value: a command's bytes }
 */
export type CommandStream<Command = Uint8Array> = AsyncIterableIterator<Command, undefined, undefined> &
  AsyncDisposable;

/** What a handle names. A handle may come from another copy of the package, so this is all that the functions may rely on. */
export interface NamedClient {
  /** For people. */
  readonly state: string;
  readonly isDestroyed: boolean;
  sendStatus(status: unknown, options: unknown): Promise<Result<ClientHandle, SendStatusError>>;
  exchange(status: unknown, options: unknown): Promise<Result<Uint8Array, SendStatusError>>;
  getCommand(): Result<Uint8Array, GetCommandError>;
  commands(options: unknown): CommandStream;
  destroy(): Promise<void>;
}

// Registered for the whole process: the package's ES module and CommonJS copies, and each jest test file's realm,
// have to find the client of each other's handles. The number is raised when NamedClient changes.
const NAMED_CLIENT = Symbol.for("fleet-internal-client.client.1");
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

type Inspect = (value: unknown, options: unknown) => string;

const handlePrototype = Object.freeze({
  [Symbol.asyncDispose](this: ClientHandle): Promise<void> {
    return clientOf(this)?.destroy() ?? Promise.resolve();
  },
  toString(this: ClientHandle): string {
    return `ClientHandle(${describeEndpoint(this)}, ${clientOf(this)?.state ?? "no client"})`;
  },
  [INSPECT](this: ClientHandle, _depth: number, options: object, inspect: Inspect): string {
    const { device, host, port } = this;
    const state = clientOf(this)?.state ?? "no client";
    return `ClientHandle ${inspect({ device, host, port, state }, options)}`;
  },
});

export function createHandle(client: NamedClient, device: Device, host: string, port: number): ClientHandle {
  const handle = Object.assign(Object.create(handlePrototype) as ClientHandle, { device, host, port });
  // Not enumerable, so that a copy made with `{ ...handle }` is no handle.
  Object.defineProperty(handle, NAMED_CLIENT, { value: client });
  return Object.freeze(handle);
}

/** The client that a handle names; undefined for anything that is no handle. */
export function clientOf(handle: unknown): NamedClient | undefined {
  if (typeof handle !== "object" || handle === null) return undefined;
  try {
    const client = (handle as { [NAMED_CLIENT]?: NamedClient })[NAMED_CLIENT];
    return typeof client?.exchange === "function" ? client : undefined;
  } catch {
    return undefined; // a proxy that throws is no handle
  }
}

/** For people: which device, at which gateway. */
export function describeEndpoint({ device, host, port }: Pick<ClientHandle, "device" | "host" | "port">): string {
  const { module, deviceType, deviceRole, deviceName } = device;
  const endpoint = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return `device ${JSON.stringify(deviceName)} (module ${module}, type ${deviceType}, role ${JSON.stringify(deviceRole)}) at ${endpoint}`;
}
