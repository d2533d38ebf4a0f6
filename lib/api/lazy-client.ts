import { okAsync, ResultAsync, type Result } from "neverthrow";
import { clientBehind, type ClientHandle } from "../client/handle.js";
import type { Config } from "../client/options.js";
import type { ConnectError } from "../errors/error-types.js";
import { connect, destroy } from "./functions.js";

/**
 * A function that returns the connected client, and a way to destroy it.
 */
export interface LazyClient<Status = Uint8Array, Command = Uint8Array> extends AsyncDisposable {
  /** Returns the client, and connects it first if necessary. */
  (): ResultAsync<ClientHandle<Status, Command>, ConnectError>;
  /** Destroys the client, if there is one; the next call connects again. */
  destroy(): ResultAsync<void, never>;
}

/**
 * Returns a function that gives you the client, and connects it first if necessary.
 *
 * The function connects on first use, once even under concurrent calls, and again after the client was destroyed or could not connect.
 * Keep it outside a serverless handler. The configuration has no `signal`, because the connection belongs to no single call.
 *
 * The function's errors are those of {@link connect}. A client whose connection was lost, for example while the process was
 * frozen, is returned all the same: its next status reconnects.
 *
 * @example
 * const button = lazyClient({ ...config, keepProcessAlive: false });
 * export const handler = (event: { status: string }) =>
 *   button().andThen((client) => exchange(client, Buffer.from(event.status), { timeoutMs: 2_000 }));
 */
export function lazyClient<Status = Uint8Array, Command = Uint8Array>(
  config: Omit<Config<Status, Command>, "signal">,
): LazyClient<Status, Command> {
  type Connected = Result<ClientHandle<Status, Command>, ConnectError>;
  let connecting: Promise<Connected> | undefined;
  let client: ClientHandle<Status, Command> | undefined;

  const start = async (): Promise<Connected> => {
    const connected = await connect(config);
    connecting = undefined; // or the first caller's async context would live as long as the client
    if (connected.isOk()) client = connected.value;
    return connected;
  };
  const get = (): ResultAsync<ClientHandle<Status, Command>, ConnectError> => {
    if (client !== undefined && clientBehind(client)?.isDestroyed === false) return okAsync(client);
    connecting ??= start();
    return new ResultAsync(connecting);
  };
  const end = (): ResultAsync<void, never> => {
    if (connecting !== undefined) return new ResultAsync(connecting).andThen(destroy).orElse(() => okAsync(undefined));
    return client === undefined ? okAsync(undefined) : destroy(client);
  };
  return Object.assign(get, {
    destroy: end,
    [Symbol.asyncDispose]: () =>
      end().match(
        () => undefined,
        (never) => never,
      ),
  });
}
