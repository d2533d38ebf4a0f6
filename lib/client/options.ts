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
   * A {@link Module}, which types the device's statuses and commands; or only its number, a whole number from 0 to 2^31-1, and then
   * statuses and commands are bytes. Anyone may use a number from 1000 up.
   */
  readonly module: number | Module<Status, Command>;
  /** The device's type within its module, a whole number from 0 to 2^32-1. */
  readonly deviceType: number;
  /** What the device is for, for example `"left_button"`. A gateway identifies a device by its module, type and role. May be empty. */
  readonly deviceRole: string;
  /** A label for people; a gateway does not use it to identify the device. May be empty. */
  readonly deviceName: string;
  /**
   * A whole number from 0, the highest, to 2^32-1. A gateway disconnects a device when one with the same
   * module, type and role connects with a higher priority.
   *
   * @defaultValue 0
   */
  readonly priority?: number | undefined;
}

/**
 * Where the module gateway is, and which device connects.
 *
 * @example
 * const config: Config = { host: "192.168.1.100", port: 1636, device, connectTimeoutMs: 2_000 };
 */
export interface Config<Status = Uint8Array, Command = Uint8Array> {
  /** The gateway's host name, IPv4 address or IPv6 address. An IPv6 address has no brackets; it may have a zone. */
  readonly host: string;
  /** The gateway's port, 1 to 65535; in practice mostly 1636 or 8888. */
  readonly port: number;
  /** The device that connects. */
  readonly device: DeviceConfig<Status, Command>;
  /**
   * How long one attempt to connect may take, in milliseconds, above 0 and up to 2^31-1: the name look-up, TCP, and the gateway's
   * connect response.
   *
   * @defaultValue 4,000
   */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * The largest message body that is sent or accepted, in bytes, 1 to 2^32-1. A larger status is `NOT_OK` and not sent. A larger message
   * from the gateway is not stored: the status in flight fails with `COMMAND_INCORRECT`, and the client drops the connection.
   *
   * @defaultValue 16,777,216
   */
  readonly maxMessageBytes?: number | undefined;
  /**
   * Whether a client keeps the process alive while it is connected, while a loop over its commands waits, and while `runDevice` runs.
   * With `false`, a process with nothing else to do exits without destroying the client. A status that is sent or waits keeps it alive in any case.
   *
   * @defaultValue true
   */
  readonly keepProcessAlive?: boolean | undefined;
  /** Aborts `connect`. Once the client is connected, it has no effect. */
  readonly signal?: AbortSignal | undefined;
  /**
   * A function that returns a new `Duplex`, used in place of a TCP connection: TLS, a Unix socket, a tunnel. It is called for every
   * connection. The protocol starts with the stream's `connect` or `secureConnect` event, or at once if the stream is already open.
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
   * How long one attempt may take, in milliseconds, above 0 and up to 2^31-1: from the moment the operating system has taken the status
   * until a command has arrived. A healthy gateway may take 250 ms, so use at least 300.
   *
   * @defaultValue 10,000
   */
  readonly timeoutMs?: number | undefined;
  /** Aborts the call, even while its status waits for its turn. With `sendStatuses` and `runDevice` it ends the iteration. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * How the statuses of a source are sent; `timeoutMs` applies to each, `signal` ends the iteration.
 *
 * @example
 * const options: SendStatusesOptions = { repeatAfterMs: 5_000, timeoutMs: 2_000, signal: AbortSignal.timeout(60_000) };
 */
export interface SendStatusesOptions extends SendStatusOptions {
  /**
   * How long to wait for a new status before the last one is sent again, in milliseconds, above 0 and up to 2^31-1. The same bytes are sent
   * again. A gateway may disconnect a device that has been silent for 15 s.
   *
   * @defaultValue never; 5,000 for `runDevice`
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
  /**
   * How many commands may be unread, 1 to 2^32-1; together they may have 64 MiB. `commands` ends a reader that falls further behind
   * with an `Err`. `runDevice` drops the oldest commands instead, and an `Err` says how many.
   *
   * @defaultValue 1,024
   */
  readonly highWaterMark?: number | undefined;
  /** Ends the reader. Commands not yet read can still be read. */
  readonly signal?: AbortSignal | undefined;
}
