/**
 * The device that connects: the fields of the protocol's own Device message.
 *
 * @example
 * const device: DeviceConfig = { module: 1000, deviceType: 0, deviceRole: "left_button", deviceName: "button1" };
 */
export interface DeviceConfig {
  /** The module's number, a whole number from 0 to 2^31-1. Modules from 1000 up are free for anyone. */
  readonly module: number;
  /** The device's type within its module, a whole number from 0 to 2^32-1. */
  readonly deviceType: number;
  /** What the device is there for, for example `"left_button"`. With module and type it tells devices apart. May be empty. */
  readonly deviceRole: string;
  /** A label for people. May be empty. */
  readonly deviceName: string;
  /** A whole number from 0, the highest, to 2^32-1. Default 0. */
  readonly priority?: number;
}

/**
 * Where the module gateway is, and which device connects.
 *
 * @example
 * const config: Config = { host: "192.168.1.100", port: 1636, device, connectTimeoutMs: 2_000 };
 */
export interface Config {
  /** The gateway's host name, IPv4 or IPv6 address, the latter without brackets. */
  readonly host: string;
  /** The gateway's port, 1 to 65535; in the field mostly 1636 or 8888. */
  readonly port: number;
  /** The device that connects. */
  readonly device: DeviceConfig;
  /** How long one attempt to connect may take (TCP and the connect response), in milliseconds: above 0 and up to 2^31-1. Default 4,000. */
  readonly connectTimeoutMs?: number;
  /**
   * The largest message body, in bytes, that is sent or accepted: 1 to 2^32-1. Default 16 MiB. A status above it is `NOT_OK` and not
   * sent; a message above it is refused before it is stored, with `COMMAND_INCORRECT` for the status in hand, and the connection dropped.
   */
  readonly maxMessageBytes?: number;
  /**
   * Whether a connected client keeps the process alive while no status is under way. Default true; with false, a process that
   * has nothing else to do exits though it has not destroyed the client. One whose connection was dropped has nothing
   * open until the next status reconnects, and does not keep it alive either way.
   */
  readonly keepProcessAlive?: boolean;
  /** Aborts `connect`; it has no effect on the client afterwards. */
  readonly signal?: AbortSignal;
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
   * and up to 2^31-1. Default 10,000. A gateway that is well may take 250 ms, so below 300 a timeout is a false alarm waiting to happen.
   */
  readonly timeoutMs?: number;
  /** Aborts the whole call, waiting for its turn included. */
  readonly signal?: AbortSignal;
}

/**
 * How commands are read.
 *
 * @example
 * const options: CommandsOptions = { highWaterMark: 16 };
 */
export interface CommandsOptions {
  /** How many commands may lie unread before the reader is ended with an error: 1 to 2^32-1. Default 1,024. */
  readonly highWaterMark?: number;
}
