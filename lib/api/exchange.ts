import { errAsync, ResultAsync } from "neverthrow";
import { noHandleError } from "../client/failure-error.js";
import { clientOf, type ClientHandle } from "../client/handle.js";
import type { SendStatusOptions } from "../client/options.js";
import type { SendStatusError } from "../errors/error-types.js";

/**
 * Sends a status and gives the command that completed it. In all else it is {@link sendStatus}, its errors included.
 *
 * The first command after a status completes it. Nothing on the wire tells a pushed command from an answer, so where the
 * gateway pushes, the command given may be the pushed one, and the status's own answer the next command.
 *
 * @example
 * const command = await exchange(client, Buffer.from('{"pressed":true}'), { timeoutMs: 2_000 });
 */
export function exchange(
  handle: ClientHandle,
  status: Uint8Array,
  options?: SendStatusOptions,
): ResultAsync<Uint8Array, SendStatusError> {
  const client = clientOf(handle);
  if (client === undefined) return errAsync(noHandleError());
  return new ResultAsync(client.exchange(status, options));
}
