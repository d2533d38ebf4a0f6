import type { Duplex } from "node:stream";
import { inspect, types } from "node:util";
import type { AnyModule } from "../codecs/module.js";
import { InternalClientError } from "../errors/internal-client-error.js";
import type { Device } from "../protocol/device.js";
import { MAX_INT32, MAX_TIMER_MS, MAX_UINT32 } from "../limits.js";
import { nearest } from "./nearest.js";
import type { CommandsOptions, Config, DeviceConfig, SendStatusesOptions, SendStatusOptions } from "./options.js";

const DEFAULT_CONNECT_TIMEOUT_MS = 4_000;
const DEFAULT_STATUS_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const DEFAULT_HIGH_WATER_MARK = 1_024;

/** A checked configuration, with its defaults filled in, which the caller cannot change. */
export interface CheckedConfig {
  readonly host: string;
  readonly port: number;
  readonly device: Device;
  /** undefined if only its number was given: then statuses and commands are bytes. */
  readonly module: AnyModule | undefined;
  /** Whether an empty command only completes its status, and is neither the latest command nor one for readers. */
  readonly skipsEmptyCommands: boolean;
  readonly connectTimeoutMs: number;
  readonly maxMessageBytes: number;
  readonly keepProcessAlive: boolean;
  readonly signal: AbortSignal | undefined;
  readonly createConnection: (() => Duplex) | undefined;
}

/** Checked options of a status, with their defaults filled in. */
export interface CheckedStatusOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The `NOT_OK` for a wrong argument: the field, what was given, and what is allowed. */
export function invalidArgument(field: string, given: unknown, allowed: string): InternalClientError<"NOT_OK"> {
  return new InternalClientError("NOT_OK", { message: `${field} is ${shown(given)}, but must be ${allowed}` });
}

/** The error for what was thrown while a caller's arguments were read: one of the errors below, or an error such as a lack of memory. */
export function argumentError(thrown: unknown): InternalClientError<"NOT_OK"> {
  if (thrown instanceof InternalClientError) return thrown as InternalClientError<"NOT_OK">;
  return new InternalClientError("NOT_OK", { message: "the arguments could not be read.", cause: thrown });
}

const CONFIG_FIELDS: readonly (keyof Config)[] = [
  "host",
  "port",
  "device",
  "connectTimeoutMs",
  "maxMessageBytes",
  "keepProcessAlive",
  "signal",
  "createConnection",
];
const DEVICE_FIELDS: readonly (keyof DeviceConfig)[] = ["module", "deviceType", "deviceRole", "deviceName", "priority"];
const STATUS_FIELDS: readonly (keyof SendStatusOptions)[] = ["timeoutMs", "signal"];
const COMMANDS_FIELDS: readonly (keyof CommandsOptions)[] = ["highWaterMark", "signal"];

/** @throws InternalClientError NOT_OK for the first field that is wrong */
export function checkedConfig(given: unknown): CheckedConfig {
  const read = fieldsOf("config", given, CONFIG_FIELDS);
  return Object.freeze({
    host: hostName("config.host", read("host")),
    port: integer("config.port", read("port"), 1, 65_535),
    ...checkedDevice(read("device")),
    connectTimeoutMs: milliseconds("config.connectTimeoutMs", read("connectTimeoutMs", DEFAULT_CONNECT_TIMEOUT_MS)),
    maxMessageBytes: integer(
      "config.maxMessageBytes",
      read("maxMessageBytes", DEFAULT_MAX_MESSAGE_BYTES),
      1,
      MAX_UINT32,
    ),
    keepProcessAlive: boolean("config.keepProcessAlive", read("keepProcessAlive", true)),
    signal: abortSignal("config.signal", read("signal")),
    createConnection: optionalFunction("config.createConnection", read("createConnection")) as
      (() => Duplex) | undefined,
  });
}

/** @throws InternalClientError NOT_OK for the first field that is wrong */
export function checkedStatusOptions(given: unknown): CheckedStatusOptions {
  if (given === undefined) return DEFAULT_STATUS_OPTIONS;
  return statusOptionsFrom(fieldsOf("options", given, STATUS_FIELDS));
}

function statusOptionsFrom(read: FieldReader<SendStatusOptions>): CheckedStatusOptions {
  return {
    timeoutMs: milliseconds("options.timeoutMs", read("timeoutMs", DEFAULT_STATUS_TIMEOUT_MS)),
    signal: abortSignal("options.signal", read("signal")),
  };
}

/** Checked options of `sendStatuses`, with their defaults filled in. */
export interface CheckedSourceOptions extends CheckedStatusOptions {
  readonly repeatAfterMs: number | undefined;
}

/** @throws InternalClientError NOT_OK for the first field that is wrong */
export function checkedSourceOptions(given: unknown): CheckedSourceOptions {
  const read = fieldsOf<SendStatusesOptions>("options", given ?? {}, [...STATUS_FIELDS, "repeatAfterMs"]);
  return { ...statusOptionsFrom(read), repeatAfterMs: repeatAfter(read) };
}

function repeatAfter(read: FieldReader<SendStatusesOptions>, fallback?: number): number | undefined {
  const repeatAfterMs = read("repeatAfterMs", fallback);
  return repeatAfterMs === undefined ? undefined : milliseconds("options.repeatAfterMs", repeatAfterMs);
}

const DEFAULT_REPEAT_AFTER_MS = 5_000;

/** Checked options of `runDevice`, with their defaults filled in. */
export interface CheckedDeviceOptions<RetryDelay> extends CheckedSourceOptions {
  readonly highWaterMark: number;
  readonly retryDelayMs: RetryDelay | undefined;
}

/** @throws InternalClientError NOT_OK for the first field that is wrong */
export function checkedDeviceOptions<RetryDelay extends (failuresInARow: number, error: never) => unknown>(
  given: unknown,
): CheckedDeviceOptions<RetryDelay> {
  type Fields = SendStatusesOptions & CommandsOptions & { retryDelayMs: RetryDelay };
  const fields = [...STATUS_FIELDS, "repeatAfterMs", "highWaterMark", "retryDelayMs"] as const;
  const read = fieldsOf<Fields>("options", given ?? {}, fields);
  return {
    ...statusOptionsFrom(read),
    repeatAfterMs: repeatAfter(read, DEFAULT_REPEAT_AFTER_MS),
    highWaterMark: highWaterMarkFrom(read),
    retryDelayMs: optionalFunction("options.retryDelayMs", read("retryDelayMs")) as RetryDelay | undefined,
  };
}

/** @throws InternalClientError NOT_OK unless it is a delay that a timer can have */
export function checkedMilliseconds(field: string, given: unknown): number {
  return milliseconds(field, given);
}

/** @throws InternalClientError NOT_OK unless the status is a Uint8Array, of any realm, that still has its bytes */
export function checkedStatus(given: unknown): Uint8Array {
  if (!types.isUint8Array(given)) throw invalidArgument("argument status", given, "a Uint8Array (a Buffer is one)");
  if (given.length === 0) assertNotDetached(given);
  // With an overridden length, the frame would contain memory beyond the caller's bytes.
  if (given.length !== intrinsicLength.call(given))
    throw invalidArgument("argument status", given, "a Uint8Array whose length is not overridden");
  return given;
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on each status
const intrinsicLength = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), "length")?.get as (
  this: Uint8Array,
) => number;

/** Checked options of `commands`, with their defaults filled in. */
export interface CheckedCommandsOptions {
  readonly highWaterMark: number;
  readonly signal: AbortSignal | undefined;
}

/** @throws InternalClientError NOT_OK for the first field that is wrong */
export function checkedCommandsOptions(given: unknown): CheckedCommandsOptions {
  const read = fieldsOf("options", given === undefined ? {} : given, COMMANDS_FIELDS);
  return { highWaterMark: highWaterMarkFrom(read), signal: abortSignal("options.signal", read("signal")) };
}

function highWaterMarkFrom(read: FieldReader<CommandsOptions>): number {
  return integer("options.highWaterMark", read("highWaterMark", DEFAULT_HIGH_WATER_MARK), 1, MAX_UINT32);
}

const DEFAULT_STATUS_OPTIONS: CheckedStatusOptions = { timeoutMs: DEFAULT_STATUS_TIMEOUT_MS, signal: undefined };

function checkedDevice(given: unknown): Pick<CheckedConfig, "device" | "module" | "skipsEmptyCommands"> {
  const read = fieldsOf("config.device", given, DEVICE_FIELDS);
  const { number, module, isOptional } = checkedModule("config.device.module", read("module"));
  const device = Object.freeze({
    module: number,
    deviceType: integer("config.device.deviceType", read("deviceType"), 0, MAX_UINT32),
    deviceRole: wellFormedString("config.device.deviceRole", read("deviceRole")),
    deviceName: wellFormedString("config.device.deviceName", read("deviceName")),
    priority: integer("config.device.priority", read("priority", 0), 0, MAX_UINT32),
  });
  return { device, module, skipsEmptyCommands: isOptional };
}

interface CheckedModule {
  readonly number: number;
  readonly module: AnyModule | undefined;
  readonly isOptional: boolean;
}

function checkedModule(field: string, given: unknown): CheckedModule {
  if (typeof given !== "object" || given === null) {
    return { number: integer(field, given, 0, MAX_INT32, " or a Module"), module: undefined, isOptional: false };
  }
  const module = given as AnyModule;
  try {
    const { number, status, command } = module;
    const functions: unknown[] = [status.encode, status.decode, command.encode, command.decode];
    if (Number.isInteger(number) && number >= 0 && number <= MAX_INT32 && functions.every(isFunction)) {
      return { number, module, isOptional: command.isOptional === true };
    }
  } catch {
    // A getter threw, so it is not a Module.
  }
  throw invalidArgument(field, given, `a whole number from 0 to ${MAX_INT32} or a Module, as defineModule returns it`);
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

/** Returns the value of a field, or the fallback if it was left out. */
type FieldReader<T> = (field: keyof T & string, fallback?: unknown) => unknown;

/** @throws InternalClientError NOT_OK unless it is an object with none but these fields */
function fieldsOf<T>(name: string, given: unknown, fields: readonly (keyof T & string)[]): FieldReader<T> {
  if (typeof given !== "object" || given === null) throw invalidArgument(name, given, "an object");
  for (const field of keysOf(name, given)) {
    if (!(fields as readonly string[]).includes(field)) throw unknownField(name, field, fields);
  }
  return (field, fallback) => {
    try {
      const value: unknown = (given as Partial<T>)[field];
      return value === undefined ? fallback : value;
    } catch (cause) {
      throw new InternalClientError("NOT_OK", { message: `${name}.${field} threw when it was read.`, cause });
    }
  };
}

function keysOf(name: string, given: object): string[] {
  try {
    return Object.keys(given);
  } catch (cause) {
    throw new InternalClientError("NOT_OK", { message: `${name} threw when it was read.`, cause });
  }
}

function unknownField(name: string, field: string, fields: readonly string[]): InternalClientError<"NOT_OK"> {
  const meant = nearest(field, fields);
  const hint = meant === undefined ? `Its properties are ${fields.join(", ")}.` : `Did you mean ${meant}?`;
  return new InternalClientError("NOT_OK", { message: `${name} has no property ${JSON.stringify(field)}. ${hint}` });
}

function integer(field: string, given: unknown, least: number, most: number, or = ""): number {
  if (typeof given === "number" && Number.isInteger(given) && given >= least && given <= most) return given;
  throw invalidArgument(field, given, `a whole number from ${least} to ${most}${or}`);
}

function milliseconds(field: string, given: unknown): number {
  if (typeof given === "number" && given > 0 && given <= MAX_TIMER_MS) return given;
  throw invalidArgument(field, given, `a number of milliseconds above 0 and up to ${MAX_TIMER_MS}`);
}

function boolean(field: string, given: unknown): boolean {
  if (typeof given === "boolean") return given;
  throw invalidArgument(field, given, "true or false");
}

function optionalFunction(field: string, given: unknown): unknown {
  if (given === undefined || isFunction(given)) return given;
  throw invalidArgument(field, given, "a function");
}

const HOST_FAULTS: readonly (readonly [RegExp, string])[] = [
  [/\p{Cc}/u, "without control characters"],
  [/\s/u, "without white space"],
  [/:\/\//, "without a scheme"],
  [/^[^:]+:\d*$|\]:\d*$/, "without a port: use config.port"],
  [/[[\]]/, "without brackets"],
];

function hostName(field: string, given: unknown): string {
  const allowed = "a host name, an IPv4 or an IPv6 address";
  if (typeof given !== "string" || given === "") throw invalidArgument(field, given, allowed);
  const fault = HOST_FAULTS.find(([pattern]) => pattern.test(given));
  if (fault !== undefined) throw invalidArgument(field, given, `${allowed}, ${fault[1]}`);
  return given;
}

function wellFormedString(field: string, given: unknown): string {
  if (typeof given === "string" && given.isWellFormed()) return given;
  throw invalidArgument(field, given, typeof given === "string" ? "a string without lone surrogates" : "a string");
}

function abortSignal(field: string, given: unknown): AbortSignal | undefined {
  if (given === undefined || isAbortSignal(given)) return given;
  throw invalidArgument(field, given, "an AbortSignal");
}

/** Refuses look-alikes and proxies: their methods could throw later, in the middle of the call. */
function isAbortSignal(given: unknown): given is AbortSignal {
  try {
    return !types.isProxy(given) && given instanceof AbortSignal && typeof given.aborted === "boolean";
  } catch {
    return false;
  }
}

/** Bytes that were transferred to another thread leave an empty array behind, which would be sent as an empty status. */
function assertNotDetached(given: Uint8Array): void {
  try {
    new Uint8Array(given.buffer);
  } catch {
    const message =
      "argument status is a Uint8Array whose buffer was transferred, but must be a Uint8Array that still has its bytes";
    throw new InternalClientError("NOT_OK", { message });
  }
}

const MAX_SHOWN = 100;

function shown(value: unknown): string {
  const options = { depth: 0, customInspect: false, maxArrayLength: 3, maxStringLength: 60, breakLength: Infinity };
  try {
    const text = inspect(value, options);
    return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  } catch {
    return "a value that cannot be printed";
  }
}
