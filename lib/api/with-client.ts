import type { Result } from "neverthrow";
import { err, errAsync, ok, ResultAsync } from "neverthrow";
import { invalidArgument } from "../client/arguments.js";
import type { ClientHandle } from "../client/handle.js";
import type { Config } from "../client/options.js";
import type { ConnectError } from "../errors/error-types.js";
import { InternalClientError } from "../errors/internal-client-error.js";
import { connect } from "./connect.js";
import { destroy } from "./destroy.js";
import { isResult } from "./is-result.js";

/** What `use` gives: a Result, or a value that stands for a successful one, at once or later. */
type Outcome<T, E> = Result<T, E> | ResultAsync<T, E> | PromiseLike<Result<T, E>>;

/**
 * Connects, hands the client to `use`, and destroys it afterwards on every path, before the outcome is given.
 *
 * `use` returns a Result, a ResultAsync, a promise of a Result, or a plain value or a promise of one; that is the outcome. If it throws or rejects,
 * the outcome is an Err `NOT_OK` of family `usage` with what was thrown as its `cause`. It never throws and never rejects.
 *
 * Errors: those of `connect`, those of `use`, and `NOT_OK` as said.
 *
 * @example
 * const command = await withClient(config, (client) => exchange(client, status));
 */
export function withClient<T, E>(
  config: Config,
  use: (client: ClientHandle) => Outcome<T, E>,
): ResultAsync<T, E | ConnectError>;
export function withClient<T>(
  config: Config,
  use: (client: ClientHandle) => T | PromiseLike<T>,
): ResultAsync<T, ConnectError>;
export function withClient(config: Config, use: (client: ClientHandle) => unknown): ResultAsync<unknown, unknown> {
  if (typeof use !== "function") return errAsync(invalidArgument("use", use, "a function"));
  return new ResultAsync(connectUseDestroy(config, use));
}

async function connectUseDestroy(
  config: Config,
  use: (client: ClientHandle) => unknown,
): Promise<Result<unknown, unknown>> {
  const connected = await connect(config);
  if (connected.isErr()) return connected;
  try {
    const outcome = await use(connected.value);
    return isResult(outcome) ? outcome : ok(outcome);
  } catch (thrown) {
    const message = "the function given to withClient threw; see cause";
    return err(new InternalClientError("NOT_OK", { message, cause: thrown }));
  } finally {
    await destroy(connected.value);
  }
}
