import type { InternalClientError } from "./internal-client-error.js";
import type { ErrorCode } from "./return-code.js";

/**
 * The errors with these codes: a union that a `switch` on `error.code` narrows, `returnCode` and `reason` included.
 *
 * @example
 * type Late = ErrorWith<"TIMEOUT_OCCURRED" | "UNABLE_TO_CONNECT">;
 */
export type ErrorWith<Code extends ErrorCode = ErrorCode> = Code extends ErrorCode ? InternalClientError<Code> : never;

/**
 * The codes with which the gateway refuses a device; the `connect` family.
 *
 * @example
 * const isForGood = (code: RefusalCode) => code === "MODULE_NOT_SUPPORTED" || code === "DEVICE_TYPE_NOT_SUPPORTED";
 */
export type RefusalCode =
  | "DEVICE_ALREADY_CONNECTED"
  | "MODULE_NOT_SUPPORTED"
  | "DEVICE_TYPE_NOT_SUPPORTED"
  | "HIGHER_PRIORITY_ALREADY_CONNECTED";

/** The codes that `connect` can return. */
export type ConnectErrorCode = RefusalCode | "UNABLE_TO_CONNECT" | "DEVICE_INCORRECT" | "NOT_OK";

/** The codes that `sendStatus` and `exchange` can return. */
export type SendStatusErrorCode = ConnectErrorCode | "TIMEOUT_OCCURRED" | "COMMAND_INCORRECT" | "CONTEXT_INCORRECT";

/**
 * The errors of `connect`. Nothing is left open.
 *
 * @example
 * const explain = (error: ConnectError) => `${error.code} (${error.returnCode}): ${error.message}`;
 */
export type ConnectError = ErrorWith<ConnectErrorCode>;

/**
 * The errors of `sendStatus`, `exchange` and `sendStatuses`, and of `closed`.
 *
 * @example
 * const isLate = (error: SendStatusError) => error.code === "TIMEOUT_OCCURRED";
 */
export type SendStatusError = ErrorWith<SendStatusErrorCode>;

/**
 * The errors of `getCommand`: `COMMAND_INCORRECT` only if a module's codec reads the commands.
 *
 * @example
 * const isEarly = (error: GetCommandError) => error.code === "NO_COMMAND_AVAILABLE";
 */
export type GetCommandError = ErrorWith<"CONTEXT_INCORRECT" | "NO_COMMAND_AVAILABLE" | "COMMAND_INCORRECT">;

/**
 * The errors among the items of `commands`: `COMMAND_INCORRECT` is a command that the module's codec could not read, and later commands
 * follow; `NOT_OK` (`fell-behind`, `invalid-argument`) and `CONTEXT_INCORRECT` are the last item.
 *
 * @example
 * const isLast = (error: CommandsError) => error.code !== "COMMAND_INCORRECT";
 */
export type CommandsError = ErrorWith<"CONTEXT_INCORRECT" | "COMMAND_INCORRECT" | "NOT_OK">;

/**
 * The errors among the items of `runDevice`.
 *
 * @example
 * const report = (error: RunDeviceError) => console.warn(error.message);
 */
export type RunDeviceError = ConnectError | SendStatusError;
