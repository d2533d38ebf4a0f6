import type { ErrorCode } from "./return-code.js";

/** Every code's reasons. An error that is made without a reason has the first. */
export const reasons = {
  NOT_OK: [
    "invalid-argument",
    "aborted",
    "queue-full",
    "too-large",
    "unwritable-status",
    "source-failed",
    "use-failed",
    "fell-behind",
    "off-protocol",
  ],
  CONTEXT_INCORRECT: ["no-handle", "destroyed"],
  NO_COMMAND_AVAILABLE: ["no-command"],
  TIMEOUT_OCCURRED: ["timed-out"],
  UNABLE_TO_CONNECT: ["unreachable", "timed-out", "closed"],
  COMMAND_INCORRECT: ["off-protocol", "unreadable-command"],
  DEVICE_INCORRECT: ["wrong-device"],
  DEVICE_ALREADY_CONNECTED: ["refused"],
  MODULE_NOT_SUPPORTED: ["refused"],
  DEVICE_TYPE_NOT_SUPPORTED: ["refused"],
  HIGHER_PRIORITY_ALREADY_CONNECTED: ["refused"],
} as const satisfies Record<ErrorCode, readonly [string, ...string[]]>;

/**
 * The `reason` of an error: what happened, more precisely than its code.
 *
 * - `NOT_OK`: `invalid-argument`, `aborted` (by a signal), `queue-full` (64 statuses or 64 MiB are waiting: the device sends faster than
 *   the gateway answers), `too-large` (above `maxMessageBytes`), `unwritable-status` (its codec refused it), `source-failed` (the source
 *   of statuses threw), `use-failed` (the function given to `withClient` threw), `fell-behind` (too many commands were unread),
 *   `off-protocol` (the gateway broke the protocol)
 * - `UNABLE_TO_CONNECT`: `unreachable` (the system's error is the `cause`), `timed-out`, `closed` (the gateway closed without an answer)
 * - `COMMAND_INCORRECT`: `off-protocol`, `unreadable-command` (its codec could not read it; the bytes are the `payload`)
 * - `CONTEXT_INCORRECT`: `no-handle`, `destroyed`
 * - `TIMEOUT_OCCURRED`: `timed-out`; `NO_COMMAND_AVAILABLE`: `no-command`; `DEVICE_INCORRECT`: `wrong-device`; the others: `refused`
 *
 * @example
 * const isStopped = (error: SendStatusError) => error.reason === "aborted";
 */
export type ErrorReason<Code extends ErrorCode = ErrorCode> = (typeof reasons)[Code][number];
