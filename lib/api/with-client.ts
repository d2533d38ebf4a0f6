import { err, errAsync, ok, ResultAsync, type Result } from "neverthrow";
import { invalidArgument } from "../client/arguments.js";
import { describeEndpoint, type AnyHandle, type ClientHandle } from "../client/handle.js";
import type { Config } from "../client/options.js";
import { isResult } from "../codecs/result.js";
import type { ConnectError } from "../errors/error-types.js";
import { InternalClientError } from "../errors/internal-client-error.js";
import { connect, destroy } from "./functions.js";

/**
 * Connects, calls `use(client)`, and destroys the client whatever happens, before it returns the outcome.
 *
 * `use` returns a Result, a plain value, or a promise of either; that is the outcome. If it throws
 * or rejects, the outcome is an Err `NOT_OK`, `use-failed`, with what was thrown as its `cause`. It never throws and never rejects.
 *
 * Errors: those of {@link connect}, those of `use`, and the `NOT_OK` above.
 *
 * @example
 * const command = await withClient(config, (client) => exchange(client, status));
 */
export function withClient<T, E, Status = Uint8Array, Command = Uint8Array>(
  config: Config<Status, Command>,
  use: (client: ClientHandle<Status, Command>) => Result<T, E> | PromiseLike<Result<T, E>>,
): ResultAsync<T, E | ConnectError>;
export function withClient<T, Status = Uint8Array, Command = Uint8Array>(
  config: Config<Status, Command>,
  use: (client: ClientHandle<Status, Command>) => T | PromiseLike<T>,
): ResultAsync<T, ConnectError>;
export function withClient(config: Config, use: (client: AnyHandle) => unknown): ResultAsync<unknown, unknown> {
  if (typeof use !== "function") return errAsync(invalidArgument("argument use", use, "a function"));
  return new ResultAsync(connectUseDestroy(config, use));
}

async function connectUseDestroy(
  config: Config,
  use: (client: AnyHandle) => unknown,
): Promise<Result<unknown, unknown>> {
  const connected = await connect(config);
  if (connected.isErr()) return err(connected.error);
  try {
    const outcome = await use(connected.value);
    return isResult(outcome) ? outcome : ok(outcome);
  } catch (cause) {
    const message = `the function given to withClient threw (${describeEndpoint(connected.value)}). The client is destroyed.`;
    return err(new InternalClientError("NOT_OK", { reason: "use-failed", message, cause }));
  } finally {
    await destroy(connected.value);
  }
}
