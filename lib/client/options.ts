import type { Duplex } from "node:stream";
import type { Module } from "../codecs/module.js";

/**
 * The device that connects: the fields of the protocol's own Device message.
 *
 * @example
 * const device: DeviceConfig = { module: 1000, deviceType: 0, deviceRole: "left_button", deviceName: "button1" };
 */
export interface DeviceConfig<Status = Uint8Array, Command = Uint8Array> {
  /**
   * The module's number, a whole number from 0 to 2^31-1, for statuses and commands that are bytes; or a {@link Module}, for those of its
   * types. Numbers from 1000 up are free for anyone.
   */
  readonly module: number | Module<Status, Command>;
  /** The device's type within its module, a whole number from 0 to 2^32-1. */
  readonly deviceType: number;
  /** What the device is there for, for example `"left_button"`. With module and type it tells devices apart. May be empty. */
  readonly deviceRole: string;
  /** A label for people. May be empty. */
  readonly deviceName: string;
  /** A whole number from 0, the highest, to 2^32-1. Default 0. */
  readonly priority?: number | undefined;
}

/**
 * Where the module gateway is, and which device connects.
 *
 * @example
 * const config: Config = { host: "192.168.1.100", port: 1636, device, connectTimeoutMs: 2_000 };
 */
export interface Config<Status = Uint8Array, Command = Uint8Array> {
  /** The gateway's host name, IPv4 or IPv6 address; the latter without brackets, a zone allowed. */
  readonly host: string;
  /** The gateway's port, 1 to 65535; in the field mostly 1636 or 8888. */
  readonly port: number;
  /** The device that connects. */
  readonly device: DeviceConfig<Status, Command>;
  /** How long one attempt to connect may take (look-up, TCP and the connect response), in milliseconds: above 0 and up to 2^31-1. Default 4,000. */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * The largest message body, in bytes, that is sent or accepted: 1 to 2^32-1. Default 16 MiB. A status above it is `NOT_OK` and not
   * sent; a message above it is refused before it is stored, with `COMMAND_INCORRECT` for the status in flight, and the connection dropped.
   */
  readonly maxMessageBytes?: number | undefined;
  /**
   * Whether a client keeps the process alive while it is connected, while a loop over its commands waits, and while `runDevice` runs.
   * Default true; with false, a process that has nothing else to do exits though it has not destroyed the client.
   */
  readonly keepProcessAlive?: boolean | undefined;
  /** Aborts `connect`; it has no effect on the client afterwards. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Makes the connection in place of TCP: a function that returns a `Duplex`, for TLS, a Unix socket or a tunnel. It is called for
   * every connection; the protocol starts when the stream is open: with its `connect` or `secureConnect` event, or at once.
   */
  readonly createConnection?: (() => Duplex) | undefined;
}

/**
 * How one status is sent.
 *
 * @example
 * const options: SendStatusOptions = { timeoutMs: 2_000, signal: request.signal };
 */
export interface SendStatusOptions {
  /**
   * How long one attempt may take, in milliseconds, from handing the status to the kernel until a command comes: above 0
   * and up to 2^31-1. Default 10,000. A healthy gateway may take 250 ms: use at least 300.
   */
  readonly timeoutMs?: number | undefined;
  /** Aborts the whole call, waiting for its turn included. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * How the statuses of a source are sent; `timeoutMs` holds for each, `signal` ends the whole.
 *
 * @example
 * const options: SendStatusesOptions = { repeatAfterMs: 5_000, timeoutMs: 2_000, signal: AbortSignal.timeout(60_000) };
 */
export interface SendStatusesOptions extends SendStatusOptions {
  /**
   * After how long without a new status the last one is sent again, as it was written then, in milliseconds: above 0 and up to 2^31-1.
   * Default: never. A gateway disconnects a device that is silent for 15 to 30 s.
   */
  readonly repeatAfterMs?: number | undefined;
}

/**
 * How commands are read.
 *
 * @example
 * const options: CommandsOptions = { highWaterMark: 16, signal: AbortSignal.timeout(60_000) };
 */
export interface CommandsOptions {
  /** How many commands may lie unread before the reader is ended with an error: 1 to 2^32-1. Default 1,024. At most 64 MiB may, too. */
  readonly highWaterMark?: number | undefined;
  /** Ends the reading; what is unread can still be read. */
  readonly signal?: AbortSignal | undefined;
}
