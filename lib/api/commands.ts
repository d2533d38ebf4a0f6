import { argumentError } from "../client/arguments.js";
import { CommandReader } from "../client/command-readers.js";
import { clientOf, type ClientHandle, type CommandStream } from "../client/handle.js";
import type { CommandsOptions } from "../client/options.js";

/**
 * Every command from this call on, answers and pushed ones alike, in the order of arrival. Every reader gets every command.
 *
 * It subscribes at the call, not at the first read. When the client ends, whatever the cause, the commands not yet read are given
 * and then the iteration ends, without an error. Leaving the loop, or `return()`, unsubscribes. What is no handle gives an
 * ended iteration.
 *
 * While the connection is dropped nothing arrives, and only the next status reconnects: a reader is not told of it.
 *
 * A reader that leaves more than `highWaterMark` commands (default 1,024) unread gets what it has and then a rejection with `NOT_OK`: a
 * lost command is never silent. Wrong options reject the first read with `NOT_OK`.
 *
 * @example
 * for await (const command of commands(client)) console.log(command);
 */
export function commands(handle: ClientHandle, options?: CommandsOptions): CommandStream {
  const client = clientOf(handle);
  if (client === undefined) return CommandReader.ended();
  try {
    return client.commands(options);
  } catch (thrown) {
    return CommandReader.ended(argumentError(thrown));
  }
}
