import type { Config, Device } from "../index.js";
import { CommandLineError, type Given, type Options } from "./command-line.js";

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 1636;
const LARGEST_MODULE = 2 ** 31 - 1;
const LARGEST_UINT32 = 2 ** 32 - 1;
export const LARGEST_MILLISECONDS = 2 ** 31 - 1;

/** What the device is called that nobody gave a role or name: no real device is likely to be called that. */
const DEFAULT_ROLE = "command_line";

export const generalOptions = {
  json: { help: "one JSON object a line, for scripts" },
  hex: { help: "show payloads as hex, text too" },
  help: { short: "h", help: "show this" },
  version: { short: "V", help: "show the version" },
} as const satisfies Options;

export const deviceOptions = {
  host: { value: "HOST", help: `the gateway's name or address (default ${DEFAULT_HOST})` },
  port: { value: "PORT", help: `the gateway's port (default ${DEFAULT_PORT})` },
  module: { value: "NUMBER", help: "the device's module (required)" },
  type: { value: "NUMBER", help: "the device's type (default 0)" },
  role: { value: "TEXT", help: `the device's role (default ${DEFAULT_ROLE})` },
  name: { value: "TEXT", help: `the device's name (default ${DEFAULT_ROLE})` },
  priority: { value: "NUMBER", help: "the device's priority, 0 is the highest (default 0)" },
  timeout: { value: "MS", help: "how long one attempt of a status may take (default 10000)" },
  "connect-timeout": { value: "MS", help: "how long one attempt to connect may take (default 4000)" },
} as const satisfies Options;

export interface DeviceOptions {
  readonly config: Config & { readonly device: Device };
  /** For each status; undefined for the library's own default. */
  readonly timeoutMs: number | undefined;
}

/** @throws CommandLineError for the first value that is wrong */
export function readDeviceOptions(command: string, given: Given): DeviceOptions {
  const module = given.integer("module", 0, LARGEST_MODULE);
  if (module === undefined) {
    throw new CommandLineError(`${command} needs the device's module, for example --module 1000`);
  }
  const connectTimeoutMs = given.positive("connect-timeout", "milliseconds", LARGEST_MILLISECONDS);
  return {
    config: {
      host: given.nonEmpty("host") ?? DEFAULT_HOST,
      port: given.integer("port", 1, 65_535) ?? DEFAULT_PORT,
      device: {
        module,
        deviceType: given.integer("type", 0, LARGEST_UINT32) ?? 0,
        deviceRole: given.text("role") ?? DEFAULT_ROLE,
        deviceName: given.text("name") ?? DEFAULT_ROLE,
        priority: given.integer("priority", 0, LARGEST_UINT32) ?? 0,
      },
      ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    },
    timeoutMs: given.positive("timeout", "milliseconds", LARGEST_MILLISECONDS),
  };
}

/** Where the testing gateway listens unless told otherwise. */
export function readPlace(given: Given): { readonly host: string; readonly port: number } {
  return { host: given.nonEmpty("host") ?? DEFAULT_HOST, port: given.integer("port", 0, 65_535) ?? DEFAULT_PORT };
}
