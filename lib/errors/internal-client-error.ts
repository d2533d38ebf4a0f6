import { causeText, escapeText } from "./escape.js";
import { reasons, type ErrorReason } from "./reasons.js";
import { ReturnCode, type ErrorCode } from "./return-code.js";

/**
 * What kind of problem an error is.
 *
 * - `connect`: the gateway refused the device.
 * - `communication`: the transport failed, or the gateway broke the protocol.
 * - `usage`: the call was wrong or came too early: a wrong argument or handle, an aborted call, a full queue, no command yet.
 *
 * @example
 * const exitCodes: Record<ErrorFamily, number> = { usage: 2, connect: 3, communication: 4 };
 */
export type ErrorFamily = "connect" | "communication" | "usage";

/** Each code's family. A `NOT_OK` that the gateway caused is the exception. */
export const families = {
  NOT_OK: "usage",
  CONTEXT_INCORRECT: "usage",
  NO_COMMAND_AVAILABLE: "usage",
  TIMEOUT_OCCURRED: "communication",
  UNABLE_TO_CONNECT: "communication",
  COMMAND_INCORRECT: "communication",
  DEVICE_INCORRECT: "communication",
  DEVICE_ALREADY_CONNECTED: "connect",
  MODULE_NOT_SUPPORTED: "connect",
  DEVICE_TYPE_NOT_SUPPORTED: "connect",
  HIGHER_PRIORITY_ALREADY_CONNECTED: "connect",
} as const satisfies Record<ErrorCode, ErrorFamily>;

/**
 * What an {@link InternalClientError} is made of besides its code.
 *
 * @example
 * new InternalClientError("NOT_OK", { reason: "use-failed", message: "the sensor is unplugged", cause: error });
 */
export interface ErrorDetails<Code extends ErrorCode = ErrorCode> {
  /** What happened, to which device where, and what to do. The constructor puts the code before it and the cause's message after it. */
  readonly message: string;
  /** Default: the first of the code's reasons. */
  readonly reason?: ErrorReason<Code> | undefined;
  /** The underlying error, for example the system's. */
  readonly cause?: unknown;
  /** The bytes of a command that a module could not read. */
  readonly payload?: Uint8Array | undefined;
}

/**
 * The one error of this library: in the `Err` of every Result, and what the throwing functions throw.
 *
 * `code` and `reason` are string literals, so a `switch` over them narrows and can be checked for exhaustiveness.
 *
 * @example
 * if (error.code === "TIMEOUT_OCCURRED") console.warn(error.message, error.returnCode); // … -12
 */
export class InternalClientError<Code extends ErrorCode = ErrorCode> extends Error {
  /** The name in the C header. */
  readonly code: Code;
  /** The number in the C header, for example -12. */
  readonly returnCode: (typeof ReturnCode)[Code];
  /** What happened, more precisely than the code, as a string literal. */
  readonly reason: ErrorReason<Code>;
  /** `"connect"`, `"communication"` or `"usage"`: the gateway refused the device, the connection failed, or the call was wrong. */
  readonly family: ErrorFamily;
  /** The bytes of a command that its module could not read (`unreadable-command`); absent otherwise. */
  declare readonly payload?: Uint8Array;

  constructor(code: Code, details: ErrorDetails<Code>) {
    super(messageOf(code, details), "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.returnCode = ReturnCode[code];
    this.reason = details.reason ?? reasons[code][0];
    this.family = code === "NOT_OK" && this.reason === "off-protocol" ? "communication" : families[code];
    if (details.payload !== undefined) this.payload = details.payload;
  }

  /** Returns every field but the payload, for logs; the cause is reduced to its message. */
  toJSON(): Record<string, unknown> {
    const { name, code, returnCode, reason, family, message } = this;
    const cause = causeText(this.cause);
    return { name, code, returnCode, reason, family, message, ...(cause === undefined ? {} : { cause }) };
  }

  static {
    // On the prototype, as the built-in errors have it, so that it is not listed with each error's own fields.
    Object.defineProperty(this.prototype, "name", { value: "InternalClientError", configurable: true, writable: true });
  }
}

function messageOf(code: ErrorCode, { message, cause }: ErrorDetails): string {
  const said = causeText(cause);
  if (said === undefined) return `${code}: ${escapeText(message)}`;
  return `${code}: ${escapeText(message)}${message.endsWith(".") ? " Cause" : ""}: ${said}`;
}
