import { err, type Result } from "neverthrow";
import { noHandleError } from "../client/failure-error.js";
import { clientBehind, type ClientHandle } from "../client/handle.js";
import type { Stream } from "../client/mailbox.js";
import type { CommandsOptions } from "../client/options.js";
import { mapStream, streamOfOne } from "../client/streams.js";
import type { CommandsError } from "../errors/error-types.js";
import { readOutcome } from "./functions.js";

/**
 * Yields every command from this call on, answers and pushed ones, in the order of arrival.
 *
 * It subscribes at the call, not at the first read; every reader gets every command. When the client is destroyed or `signal` aborts, it
 * yields the commands not yet read, and then ends; {@link closed} says what destroyed the client. Leaving the loop, or `return()`,
 * unsubscribes. While there is no connection nothing arrives, and only the next status reconnects. It never rejects.
 *
 * An item can be an `Err` instead:
 * - `COMMAND_INCORRECT`: the module's codec could not read this command, which is the `payload`; later commands follow
 * - `NOT_OK`, `fell-behind`: more than `highWaterMark` commands (default 1,024) or 64 MiB waited unread; the last item
 * - `NOT_OK`, `invalid-argument`, and `CONTEXT_INCORRECT` for a destroyed client or something that is not a handle: the only item
 *
 * @example
 * for await (const command of commands(client)) command.match(act, (error) => console.warn(error.message));
 */
export function commands<Status, Command>(
  handle: ClientHandle<Status, Command>,
  options?: CommandsOptions,
): Stream<Result<Exclude<Command, undefined>, CommandsError>> {
  const client = clientBehind(handle);
  if (client === undefined) return streamOfOne(err(noHandleError(handle)));
  const stream = client.commands(options);
  const read = client.module === undefined ? stream : mapStream(stream, (item) => readOutcome(client, item));
  return read as Stream<Result<Exclude<Command, undefined>, CommandsError>>;
}
