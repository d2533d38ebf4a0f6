import { err, type Result } from "neverthrow";
import { listen, unlisten } from "../client/abort.js";
import { argumentError, checkedSourceOptions, type CheckedStatusOptions } from "../client/arguments.js";
import { noHandleError } from "../client/failure-error.js";
import { clientBehind, type ClientBehindHandle, type ClientHandle } from "../client/handle.js";
import type { Stream } from "../client/mailbox.js";
import type { SendStatusesOptions } from "../client/options.js";
import { StatusReader } from "../client/status-reader.js";
import { streamOf, streamOfOne } from "../client/streams.js";
import type { SendStatusError } from "../errors/error-types.js";
import { readOutcome } from "./functions.js";

/**
 * Sends every status of a source, one at a time, and yields the outcome of each: its command, or the error.
 *
 * The source is any iterable or async iterable. It is read only when you ask for the next outcome, so a slow consumer slows the source
 * and nothing piles up. With `repeatAfterMs` the last status is sent again when no new one has come for that long. It ends when the
 * source ends, and at once when `signal` aborts or the client is destroyed, whatever the source is doing. Leaving the loop, or
 * `return()`, also calls `return()` of the source, and waits for a status in flight. It never rejects.
 *
 * The errors are those of {@link exchange}. A source that throws ends it with `NOT_OK`, `source-failed`; the client can still be used.
 *
 * @example
 * for await (const outcome of sendStatuses(client, every(1_000, () => readSensors()))) {
 *   outcome.match(act, (error) => console.warn(error.message));
 * }
 */
export function sendStatuses<Status, Command>(
  handle: ClientHandle<Status, Command>,
  source: Iterable<NoInfer<Status>> | AsyncIterable<NoInfer<Status>>,
  options?: SendStatusesOptions,
): Stream<Result<Command, SendStatusError>> {
  const client = clientBehind(handle);
  if (client === undefined) return streamOfOne(err(noHandleError(handle)));
  try {
    const checked = checkedSourceOptions(options);
    const reader = new StatusReader(source, client, checked.repeatAfterMs);
    const outcomes = sendEach<Command>(client, reader, checked);
    const leave = (): Promise<unknown> => {
      reader.stop(); // or a generator that waits for its source would make `return` wait too
      return outcomes.return(undefined);
    };
    return streamOf(() => outcomes.next(), leave);
  } catch (thrown) {
    return streamOfOne(err(argumentError(thrown)));
  }
}

async function* sendEach<Command>(
  client: ClientBehindHandle,
  reader: StatusReader,
  { timeoutMs, signal }: CheckedStatusOptions,
): AsyncGenerator<Result<Command, SendStatusError>, undefined, undefined> {
  const options = { timeoutMs, signal };
  const send = async (bytes: Uint8Array) =>
    readOutcome(client, await client.exchange(bytes, options)) as Result<Command, SendStatusError>;

  const onAbort = { handleEvent: () => reader.stop() };
  if (signal?.aborted === true) return;
  if (client.isDestroyed) {
    yield await send(new Uint8Array(0)); // its error says that it is destroyed, and why
    return;
  }
  if (signal !== undefined) listen(signal, onAbort);
  const hasEnded = () => client.isDestroyed;
  const unsubscribe = client.onClosed(() => reader.stop());
  try {
    for (let next = await reader.next(); next.kind !== "end"; next = await reader.next()) {
      if (next.kind === "status") yield await send(next.bytes);
      else if (next.kind !== "interrupted") yield err(next.error);
      if (hasEnded()) return;
    }
  } finally {
    if (signal !== undefined) unlisten(signal, onAbort);
    unsubscribe();
    await reader.close();
  }
}
