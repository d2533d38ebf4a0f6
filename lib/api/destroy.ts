import { ok, ResultAsync } from "neverthrow";
import { clientOf, type ClientHandle } from "../client/handle.js";

/**
 * Ends a client: its status in hand and those that wait fail with `CONTEXT_INCORRECT`, its readers of commands end, its connection is
 * closed. When the Result is there, no socket, timer or listener is left. It may be called at any time and any number of
 * times, with anything, and never fails.
 *
 * @example
 * await destroy(client);
 */
export function destroy(handle: ClientHandle): ResultAsync<void, never> {
  const gone = clientOf(handle)?.destroy() ?? Promise.resolve();
  return new ResultAsync(gone.then(() => ok(undefined)));
}
