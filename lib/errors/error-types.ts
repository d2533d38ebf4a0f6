import type { InternalClientError } from "./internal-client-error.js";

/** The codes with which the gateway refuses a device; the `connect` family. */
export type RefusalCode =
  | "DEVICE_ALREADY_CONNECTED"
  | "MODULE_NOT_SUPPORTED"
  | "DEVICE_TYPE_NOT_SUPPORTED"
  | "HIGHER_PRIORITY_ALREADY_CONNECTED";

/** The codes that `connect` can give. */
export type ConnectErrorCode = RefusalCode | "UNABLE_TO_CONNECT" | "DEVICE_INCORRECT" | "NOT_OK";

/** The codes that `sendStatus` and `exchange` can give. */
export type SendStatusErrorCode =
  | RefusalCode
  | "UNABLE_TO_CONNECT"
  | "TIMEOUT_OCCURRED"
  | "COMMAND_INCORRECT"
  | "DEVICE_INCORRECT"
  | "CONTEXT_INCORRECT"
  | "NOT_OK";

/** The codes that `getCommand` can give. */
export type GetCommandErrorCode = "CONTEXT_INCORRECT" | "NO_COMMAND_AVAILABLE";

/** What `connect` fails with. Nothing is left open. */
export type ConnectError = InternalClientError<ConnectErrorCode>;

/** What `sendStatus` and `exchange` fail with. */
export type SendStatusError = InternalClientError<SendStatusErrorCode>;

/** What `getCommand` fails with. */
export type GetCommandError = InternalClientError<GetCommandErrorCode>;
