import { errAsync, ResultAsync } from "neverthrow";
import { noHandleError } from "../client/failure-error.js";
import { clientOf, type ClientHandle } from "../client/handle.js";
import type { SendStatusOptions } from "../client/options.js";
import type { SendStatusError } from "../errors/error-types.js";

/**
 * Sends a status and waits until a command has come; the Result gives the same handle, to go on with.
 *
 * One attempt takes at most `timeoutMs` (default 10,000 ms) from the moment the status is handed to the kernel. If it
 * fails in transport, the client reconnects once and sends the status again, so a status may reach the gateway twice; it
 * is a snapshot of the device's state, and that is safe. From its turn on a call takes at most 2 × `timeoutMs` +
 * `connectTimeoutMs` + 350 ms. Statuses sent at once go one after the other, in call order; at most 64 may wait.
 * The bytes are taken at the call. It never throws and never rejects.
 *
 * Errors, by the C header's `send_status`; those marked * destroy the client:
 * - `TIMEOUT_OCCURRED` *: no command in time, after the reconnection either
 * - `UNABLE_TO_CONNECT` *: the reconnection failed, or the gateway closed without an answer both times (the module may hold the status invalid)
 * - `DEVICE_ALREADY_CONNECTED`, `HIGHER_PRIORITY_ALREADY_CONNECTED`, `MODULE_NOT_SUPPORTED`, `DEVICE_TYPE_NOT_SUPPORTED` *: refused when reconnecting
 * - `COMMAND_INCORRECT`: what came is no command, or when reconnecting no connect response; the connection is dropped, the next status reconnects
 * - `DEVICE_INCORRECT`: what came is not for this device; likewise
 * - `CONTEXT_INCORRECT`: no handle, or its client is destroyed
 * - `NOT_OK`: a wrong argument, an abort by `options.signal`, a status above `maxMessageBytes`, 64 waiting already
 *
 * @example
 * const command = await connect(config)
 *   .andThen((client) => sendStatus(client, status, { timeoutMs: 10_000 }))
 *   .andThen(getCommand);
 */
export function sendStatus(
  handle: ClientHandle,
  status: Uint8Array,
  options?: SendStatusOptions,
): ResultAsync<ClientHandle, SendStatusError> {
  const client = clientOf(handle);
  if (client === undefined) return errAsync(noHandleError());
  return new ResultAsync(client.sendStatus(status, options));
}
