import type { InternalClientError } from "./internal-client-error.js";

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

/**
 * The codes that `connect` can give.
 *
 * @example
 * const retried: readonly ConnectErrorCode[] = ["UNABLE_TO_CONNECT", "DEVICE_ALREADY_CONNECTED"];
 */
export type ConnectErrorCode = RefusalCode | "UNABLE_TO_CONNECT" | "DEVICE_INCORRECT" | "NOT_OK";

/**
 * The codes that `sendStatus` and `exchange` can give.
 *
 * @example
 * const fatal: readonly SendStatusErrorCode[] = ["CONTEXT_INCORRECT", "UNABLE_TO_CONNECT"];
 */
export type SendStatusErrorCode =
  | RefusalCode
  | "UNABLE_TO_CONNECT"
  | "TIMEOUT_OCCURRED"
  | "COMMAND_INCORRECT"
  | "DEVICE_INCORRECT"
  | "CONTEXT_INCORRECT"
  | "NOT_OK";

/**
 * The codes that `getCommand` can give.
 *
 * @example
 * const code: GetCommandErrorCode = "NO_COMMAND_AVAILABLE";
 */
export type GetCommandErrorCode = "CONTEXT_INCORRECT" | "NO_COMMAND_AVAILABLE";

/**
 * What `connect` fails with. Nothing is left open.
 *
 * @example
 * const explain = (error: ConnectError) => `${error.code} (${error.returnCode}): ${error.message}`;
 */
export type ConnectError = InternalClientError<ConnectErrorCode>;

/**
 * What `sendStatus` and `exchange` fail with.
 *
 * @example
 * const isLate = (error: SendStatusError) => error.code === "TIMEOUT_OCCURRED";
 */
export type SendStatusError = InternalClientError<SendStatusErrorCode>;

/**
 * What `getCommand` fails with.
 *
 * @example
 * const isEarly = (error: GetCommandError) => error.code === "NO_COMMAND_AVAILABLE";
 */
export type GetCommandError = InternalClientError<GetCommandErrorCode>;
