import { ReturnCode, type ErrorCode } from "./return-code.js";

/**
 * Who can do something about an error.
 *
 * - `connect`: the gateway refused the device.
 * - `communication`: the transport failed, or what the gateway sent is not the protocol.
 * - `usage`: the caller; a wrong argument or handle, an aborted call, a full queue, no command yet.
 *
 * @example
 * const exitCodes: Record<ErrorFamily, number> = { usage: 2, connect: 3, communication: 4 };
 */
export type ErrorFamily = "connect" | "communication" | "usage";

/** Each code's family, unless an error says otherwise. */
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
 * What {@link InternalClientError} is made of besides its code.
 *
 * @example
 * new InternalClientError("NOT_OK", { message: "the sensor gave nothing", cause: error });
 */
export interface ErrorDetails {
  /** What happened, where, and what to do; the code is put in front. */
  readonly message: string;
  /** What was thrown below, for example the system's error. */
  readonly cause?: unknown;
  /** Only where it differs from the code's own: `NOT_OK` is `usage` unless the gateway broke the protocol. */
  readonly family?: ErrorFamily | undefined;
  /** The bytes of a command that a module could not read. */
  readonly payload?: Uint8Array;
}

/**
 * The one error of this library: in the `Err` of every Result, and what the throwing functions throw.
 *
 * `code` is a string literal, so a `switch` over it narrows and can be exhausted.
 *
 * @example
 * if (error.code === "TIMEOUT_OCCURRED") console.warn(error.message, error.returnCode); // … -12
 */
export class InternalClientError<Code extends ErrorCode = ErrorCode> extends Error {
  /** The name in the C header. */
  readonly code: Code;
  /** The number in the C header, for example -12. */
  readonly returnCode: (typeof ReturnCode)[Code];
  /** Who can do something about it. */
  readonly family: ErrorFamily;
  /** The bytes of a command that its module could not read (`COMMAND_INCORRECT` from a module's function), else absent. */
  declare readonly payload?: Uint8Array;

  constructor(code: Code, details: ErrorDetails) {
    super(`${code}: ${details.message}`, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.returnCode = ReturnCode[code];
    this.family = details.family ?? families[code];
    if (details.payload !== undefined) this.payload = details.payload;
  }

  static {
    // On the prototype, as the built-in errors have it, so that it is not listed with each error's own fields.
    Object.defineProperty(this.prototype, "name", { value: "InternalClientError", configurable: true, writable: true });
  }
}
