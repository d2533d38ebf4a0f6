import { err, type Result } from "neverthrow";
import { noHandleError } from "../client/failure-error.js";
import { clientOf, type ClientHandle } from "../client/handle.js";
import type { GetCommandError } from "../errors/error-types.js";

/**
 * The command that arrived last, pushed ones included. Synchronous, without I/O; a reconnection does not clear it. The bytes
 * are never touched by the library again, but all who get this command share them. An empty command is a command.
 *
 * Errors, by the C header's `get_command`:
 * - `NO_COMMAND_AVAILABLE`: none has arrived yet
 * - `CONTEXT_INCORRECT`: no handle, or its client is destroyed
 *
 * @example
 * const command = getCommand(client).unwrapOr(undefined);
 */
export function getCommand(handle: ClientHandle): Result<Uint8Array, GetCommandError> {
  return clientOf(handle)?.getCommand() ?? err(noHandleError());
}
