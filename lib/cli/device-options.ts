import type { Config, Device } from "../index.js";
import { CommandLineError, type Given, type Options } from "./command-line.js";

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 1636;
export const MAX_MODULE = 2 ** 31 - 1;
export const MAX_UINT32 = 2 ** 32 - 1;
export const MAX_MILLISECONDS = 2 ** 31 - 1;

export const generalOptions = {
  json: { help: "one JSON object a line, for scripts" },
  help: { short: "h", help: "show this" },
  version: { short: "V", help: "show the version" },
} as const satisfies Options;

export const placeOptions = {
  host: { value: "HOST", help: "the gateway's name or address", default: DEFAULT_HOST },
  port: { value: "PORT", help: "the gateway's port", default: DEFAULT_PORT.toString() },
} as const satisfies Options;

export function deviceOptions(command: string) {
  return {
    ...placeOptions,
    module: { value: "NUMBER", help: "the device's module; required" },
    type: { value: "NUMBER", help: "the device's type", default: "0" },
    role: { value: "TEXT", help: "the device's role", default: roleOf(command) },
    name: { value: "TEXT", help: "the device's name", default: "the role" },
    priority: { value: "NUMBER", help: "the device's priority, 0 is the highest", default: "0" },
    timeout: { value: "MS", help: "how long one attempt of a status may take", default: "10000" },
    "connect-timeout": { value: "MS", help: "how long one attempt to connect may take", default: "4000" },
  } as const satisfies Options;
}

/** Each command has its own, so that `send` works while `watch` runs. */
function roleOf(command: string): string {
  return `command_line_${command}`;
}

export interface DeviceOptions {
  readonly config: Config & { readonly device: Device };
  /** For each status; undefined for the library's own default. */
  readonly timeoutMs: number | undefined;
}

/** @throws CommandLineError for the first value that is wrong */
export function readDeviceOptions(command: string, given: Given): DeviceOptions {
  const module = given.integer("module", 0, MAX_MODULE);
  if (module === undefined) {
    throw new CommandLineError(`${command} needs the device's module, for example --module 1000`);
  }
  const deviceRole = given.text("role") ?? roleOf(command);
  return {
    config: {
      ...readPlace(given, 1),
      device: {
        module,
        deviceType: given.integer("type", 0, MAX_UINT32) ?? 0,
        deviceRole,
        deviceName: given.text("name") ?? deviceRole,
        priority: given.integer("priority", 0, MAX_UINT32) ?? 0,
      },
      connectTimeoutMs: given.positive("connect-timeout", "milliseconds", MAX_MILLISECONDS),
    },
    timeoutMs: given.positive("timeout", "milliseconds", MAX_MILLISECONDS),
  };
}

/** The place of the gateway, or where the testing gateway listens; there, port 0 is allowed too. */
export function readPlace(given: Given, leastPort = 0): { readonly host: string; readonly port: number } {
  return {
    host: given.nonEmpty("host") ?? DEFAULT_HOST,
    port: given.integer("port", leastPort, 65_535) ?? DEFAULT_PORT,
  };
}
