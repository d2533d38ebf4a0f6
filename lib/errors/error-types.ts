import type { InternalClientError } from "./internal-client-error.js";
import type { ErrorCode } from "./return-code.js";

/**
 * The error of each of the codes: a union that a `switch` on `error.code` narrows, `returnCode` and `reason` included.
 *
 * @example
 * type Late = ErrorWith<"TIMEOUT_OCCURRED" | "UNABLE_TO_CONNECT">;
 */
export type ErrorWith<Code extends ErrorCode = ErrorCode> = Code extends ErrorCode ? InternalClientError<Code> : never;

/**
 * The codes with which the gateway refuses a device; the `connect` family.
 *
 * @example
 * const isFinal = (code: RefusalCode) => code !== "DEVICE_ALREADY_CONNECTED";
 */
export type RefusalCode =
  | "DEVICE_ALREADY_CONNECTED"
  | "MODULE_NOT_SUPPORTED"
  | "DEVICE_TYPE_NOT_SUPPORTED"
  | "HIGHER_PRIORITY_ALREADY_CONNECTED";

/** The codes that `connect` can give. */
export type ConnectErrorCode = RefusalCode | "UNABLE_TO_CONNECT" | "DEVICE_INCORRECT" | "NOT_OK";

/** The codes that `sendStatus` and `exchange` can give. */
export type SendStatusErrorCode = ConnectErrorCode | "TIMEOUT_OCCURRED" | "COMMAND_INCORRECT" | "CONTEXT_INCORRECT";

/**
 * What `connect` fails with. Nothing is left open.
 *
 * @example
 * const explain = (error: ConnectError) => `${error.code} (${error.returnCode}): ${error.message}`;
 */
export type ConnectError = ErrorWith<ConnectErrorCode>;

/**
 * What `sendStatus`, `exchange` and `sendStatuses` fail with, and the reason that `closed` reports.
 *
 * @example
 * const isLate = (error: SendStatusError) => error.code === "TIMEOUT_OCCURRED";
 */
export type SendStatusError = ErrorWith<SendStatusErrorCode>;

/**
 * What `getCommand` fails with: `COMMAND_INCORRECT` only where a module's codec reads commands.
 *
 * @example
 * const isEarly = (error: GetCommandError) => error.code === "NO_COMMAND_AVAILABLE";
 */
export type GetCommandError = ErrorWith<"CONTEXT_INCORRECT" | "NO_COMMAND_AVAILABLE" | "COMMAND_INCORRECT">;

/**
 * What an item of `commands` can be instead of a command: `COMMAND_INCORRECT` is one that the module's codec could not read, and reading
 * goes on; `NOT_OK` (`fell-behind`, `invalid-argument`) and `CONTEXT_INCORRECT` are the last item.
 *
 * @example
 * const isLast = (error: CommandsError) => error.code !== "COMMAND_INCORRECT";
 */
export type CommandsError = ErrorWith<"CONTEXT_INCORRECT" | "COMMAND_INCORRECT" | "NOT_OK">;

/**
 * What an item of `runDevice` can be instead of a command.
 *
 * @example
 * const report = (error: RunDeviceError) => console.warn(error.message);
 */
export type RunDeviceError = ConnectError | SendStatusError;
