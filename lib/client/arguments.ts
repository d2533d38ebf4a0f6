import { inspect, types } from "node:util";
import { InternalClientError } from "../errors/internal-client-error.js";
import type { Device } from "../protocol/device.js";
import { MAX_INT32, MAX_TIMER_MS, MAX_UINT32 } from "../limits.js";
import type { CommandsOptions, Config, DeviceConfig, SendStatusOptions } from "./options.js";

const DEFAULT_CONNECT_TIMEOUT_MS = 4_000;
const DEFAULT_STATUS_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const DEFAULT_HIGH_WATER_MARK = 1_024;

/** A configuration that was checked, with its defaults filled in, and that nobody else can change. */
export interface CheckedConfig {
  readonly host: string;
  readonly port: number;
  readonly device: Device;
  readonly connectTimeoutMs: number;
  readonly maxMessageBytes: number;
  readonly keepProcessAlive: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Status options that were checked, with their defaults filled in. */
export interface CheckedStatusOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The `NOT_OK` for a wrong argument: the field, what was given, and what is allowed. */
export function invalidArgument(field: string, given: unknown, allowed: string): InternalClientError<"NOT_OK"> {
  return new InternalClientError("NOT_OK", { message: `${field} is ${shown(given)}, but must be ${allowed}` });
}

/** Whatever was thrown while a caller's arguments were taken: one of the errors below, or that there is no memory for them. */
export function argumentError(thrown: unknown): InternalClientError<"NOT_OK"> {
  if (thrown instanceof InternalClientError) return thrown as InternalClientError<"NOT_OK">;
  return new InternalClientError("NOT_OK", { message: "the arguments could not be taken", cause: thrown });
}

/** @throws InternalClientError NOT_OK for the first field that is wrong */
export function checkedConfig(given: unknown): CheckedConfig {
  const read = readerOf<Config>("config", given);
  return Object.freeze({
    host: nonEmptyString("config.host", read("host")),
    port: integer("config.port", read("port"), 1, 65_535),
    device: checkedDevice(read("device")),
    connectTimeoutMs: milliseconds("config.connectTimeoutMs", read("connectTimeoutMs", DEFAULT_CONNECT_TIMEOUT_MS)),
    maxMessageBytes: integer(
      "config.maxMessageBytes",
      read("maxMessageBytes", DEFAULT_MAX_MESSAGE_BYTES),
      1,
      MAX_UINT32,
    ),
    keepProcessAlive: boolean("config.keepProcessAlive", read("keepProcessAlive", true)),
    signal: abortSignal("config.signal", read("signal")),
  });
}

/** @throws InternalClientError NOT_OK for the first field that is wrong */
export function checkedStatusOptions(given: unknown): CheckedStatusOptions {
  if (given === undefined) return DEFAULT_STATUS_OPTIONS;
  const read = readerOf<SendStatusOptions>("options", given);
  return {
    timeoutMs: milliseconds("options.timeoutMs", read("timeoutMs", DEFAULT_STATUS_TIMEOUT_MS)),
    signal: abortSignal("options.signal", read("signal")),
  };
}

/** @throws InternalClientError NOT_OK unless the status is a Uint8Array, of whichever realm, that still has its bytes */
export function checkedStatus(given: unknown): Uint8Array {
  if (!types.isUint8Array(given)) throw invalidArgument("status", given, "a Uint8Array (a Buffer is one)");
  if (given.length === 0) assertNotDetached(given);
  // A length of its own would make a frame that holds more than the status: memory that is nobody's business.
  if (given.length !== intrinsicLength.call(given))
    throw invalidArgument("status", given, "a Uint8Array with the length of its bytes");
  return given;
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on each status
const intrinsicLength = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), "length")?.get as (
  this: Uint8Array,
) => number;

/** @throws InternalClientError NOT_OK for a mark that is wrong */
export function checkedHighWaterMark(given: unknown): number {
  if (given === undefined) return DEFAULT_HIGH_WATER_MARK;
  const read = readerOf<CommandsOptions>("options", given);
  return integer("options.highWaterMark", read("highWaterMark", DEFAULT_HIGH_WATER_MARK), 1, MAX_UINT32);
}

/** @throws InternalClientError NOT_OK for an interval that is wrong */
export function checkedInterval(given: unknown): number | undefined {
  if (given === undefined) return undefined;
  const intervalMs = readerOf<{ intervalMs: number }>("options", given)("intervalMs");
  return intervalMs === undefined ? undefined : milliseconds("options.intervalMs", intervalMs);
}

const DEFAULT_STATUS_OPTIONS: CheckedStatusOptions = { timeoutMs: DEFAULT_STATUS_TIMEOUT_MS, signal: undefined };

function checkedDevice(given: unknown): Device {
  const read = readerOf<DeviceConfig>("config.device", given);
  return Object.freeze({
    module: integer("config.device.module", read("module"), 0, MAX_INT32),
    deviceType: integer("config.device.deviceType", read("deviceType"), 0, MAX_UINT32),
    deviceRole: wellFormedString("config.device.deviceRole", read("deviceRole")),
    deviceName: wellFormedString("config.device.deviceName", read("deviceName")),
    priority: integer("config.device.priority", read("priority", 0), 0, MAX_UINT32),
  });
}

/** Gives what a field holds, or the fallback where it was left out. */
type FieldReader<T> = (field: keyof T & string, fallback?: unknown) => unknown;

function readerOf<T>(name: string, given: unknown): FieldReader<T> {
  if (typeof given !== "object" || given === null) throw invalidArgument(name, given, "an object");
  return (field, fallback) => {
    try {
      const value: unknown = (given as Partial<T>)[field];
      return value === undefined ? fallback : value;
    } catch (cause) {
      throw new InternalClientError("NOT_OK", { message: `${name}.${field} threw when it was read`, cause });
    }
  };
}

function integer(field: string, given: unknown, least: number, most: number): number {
  if (typeof given === "number" && Number.isInteger(given) && given >= least && given <= most) return given;
  throw invalidArgument(field, given, `a whole number from ${least} to ${most}`);
}

function milliseconds(field: string, given: unknown): number {
  if (typeof given === "number" && given > 0 && given <= MAX_TIMER_MS) return given;
  throw invalidArgument(field, given, `a number of milliseconds above 0 and up to ${MAX_TIMER_MS}`);
}

function boolean(field: string, given: unknown): boolean {
  if (typeof given === "boolean") return given;
  throw invalidArgument(field, given, "true or false");
}

function nonEmptyString(field: string, given: unknown): string {
  if (typeof given === "string" && given !== "") return given;
  throw invalidArgument(field, given, "a host name, an IPv4 or an IPv6 address");
}

function wellFormedString(field: string, given: unknown): string {
  if (typeof given === "string" && given.isWellFormed()) return given;
  throw invalidArgument(field, given, "a string without lone surrogates");
}

function abortSignal(field: string, given: unknown): AbortSignal | undefined {
  if (given === undefined || isAbortSignal(given)) return given;
  throw invalidArgument(field, given, "an AbortSignal");
}

/** Look-alikes and proxies are refused: their methods could throw when the call is long under way. */
function isAbortSignal(given: unknown): given is AbortSignal {
  try {
    return !types.isProxy(given) && given instanceof AbortSignal && typeof given.aborted === "boolean";
  } catch {
    return false;
  }
}

/** Bytes that were transferred to another thread leave an empty array behind, which would go out as an empty status. */
function assertNotDetached(given: Uint8Array): void {
  try {
    new Uint8Array(given.buffer);
  } catch {
    const message = "status is a Uint8Array whose bytes were transferred away, but must be a Uint8Array that has them";
    throw new InternalClientError("NOT_OK", { message });
  }
}

function shown(value: unknown): string {
  const options = { depth: 0, customInspect: false, maxArrayLength: 3, maxStringLength: 60, breakLength: Infinity };
  try {
    return inspect(value, options);
  } catch {
    return "something that cannot be shown";
  }
}
