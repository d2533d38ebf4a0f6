import { TextDecoder, types } from "node:util";
import { err, ok, type Result } from "neverthrow";
import type { ErrorWith } from "../errors/error-types.js";
import { InternalClientError } from "../errors/internal-client-error.js";
import { describeDevice, type Device } from "../protocol/device.js";
import type { PayloadProblem } from "./codec.js";
import type { AnyModule } from "./module.js";
import { isResult } from "./result.js";
import { ASYNCHRONOUS } from "./validator.js";

/** Encodes the status with the module's codec; NOT_OK `unwritable-status` if that fails. */
export function writeStatus(
  module: AnyModule,
  device: Device,
  status: unknown,
): Result<Uint8Array, ErrorWith<"NOT_OK">> {
  const written = attempt(() => module.status.encode(status, device));
  if (written.isOk() && types.isUint8Array(written.value)) return ok(written.value);
  const { what, isOfCodec, cause } = written.isErr() ? written.error : ofCodec("it did not return a Uint8Array");
  const text =
    `module ${nameOf(module)} cannot write this status: ${what} (${describeDevice(device)}). ` +
    `Nothing was sent. Correct the ${isOfCodec ? "codec" : "status"}.`;
  return err(new InternalClientError("NOT_OK", { reason: "unwritable-status", message: text, ...withCause(cause) }));
}

/** Decodes the command with the module's codec; COMMAND_INCORRECT `unreadable-command` if that fails. */
export function readCommand(
  module: AnyModule,
  device: Device,
  payload: Uint8Array,
): Result<unknown, ErrorWith<"COMMAND_INCORRECT">> {
  const read = attempt(() => module.command.decode(payload, device));
  if (read.isOk()) return ok(read.value);
  const { what, isOfCodec, cause } = read.error;
  const text =
    `module ${nameOf(module)} cannot read this command: ${what} (${describeDevice(device)}). ` +
    (isOfCodec ? `The command ${begins(payload)}. Correct the codec.` : adviceOn(payload));
  const details = { reason: "unreadable-command", message: text, payload, ...withCause(cause) } as const;
  return err(new InternalClientError("COMMAND_INCORRECT", details));
}

/** Why a payload could not be written or read, for people. */
interface Problem {
  readonly what: string;
  /** Whether the codec is at fault, not the payload: a codec must not throw, for example. */
  readonly isOfCodec: boolean;
  readonly cause?: unknown;
}

/** A codec is the user's code: whatever it does, the outcome is a Result. */
function attempt(code: () => unknown): Result<unknown, Problem> {
  try {
    const result = code();
    if (!isResult(result)) return err(ofCodec("it did not return a Result"));
    if (result.isOk()) return ok(result.value);
    const { path, message, cause } = result.error as Partial<PayloadProblem>;
    if (message === ASYNCHRONOUS.message) return err(ofCodec(message));
    const where = path === "$" ? "" : `at ${shortened(path)}, `;
    return err({ what: where + shortened(message), isOfCodec: false, cause });
  } catch (cause) {
    return err(ofCodec("it threw", cause));
  }
}

function ofCodec(what: string, cause?: unknown): Problem {
  return { what: `its codec does not work: ${what}`, isOfCodec: true, cause };
}

const MAX_SAID_LENGTH = 500;

/** A codec may quote a whole command, and every escaped character can take ten. */
function shortened(said: unknown): string {
  const text = String(said);
  return text.length > MAX_SAID_LENGTH ? `${text.slice(0, MAX_SAID_LENGTH)}…` : text;
}

/** A module may be made without `defineModule`, so its name can be anything. */
function nameOf(module: AnyModule): string {
  try {
    return JSON.stringify(module.name);
  } catch {
    return "without a name";
  }
}

function withCause(cause: unknown): { readonly cause?: unknown } {
  return cause === undefined ? {} : { cause };
}

const SHOWN_BYTES = 40;

function adviceOn(command: Uint8Array): string {
  if (command.length > 0) {
    return `The command ${begins(command)}. Check which version of the module the gateway runs.`;
  }
  return "The command is empty. If that means that there is nothing new, wrap the command's codec in optional().";
}

function begins(bytes: Uint8Array): string {
  const first = bytes.subarray(0, SHOWN_BYTES);
  const rest = bytes.length > first.length ? `…, ${bytes.length} bytes` : "";
  return `begins with ${shown(first)}${rest}`;
}

function shown(bytes: Uint8Array): string {
  try {
    // As a stream, because the last character may be cut in two.
    return JSON.stringify(new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true }));
  } catch {
    return `the bytes ${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ")} (hex)`;
  }
}
