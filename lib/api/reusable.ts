import { ResultAsync, type Result } from "neverthrow";
import { clientOf, type ClientHandle } from "../client/handle.js";
import type { Config } from "../client/options.js";
import type { ConnectError } from "../errors/error-types.js";
import { connect } from "./connect.js";

/**
 * A configuration for a connection that outlives the call which made it, so that no one call's signal belongs to it.
 *
 * @example
 * const config: ReusableConfig = { host, port, device, keepProcessAlive: false };
 */
export type ReusableConfig = Omit<Config, "signal">;

/**
 * A function that gives the connected client: it connects on first use, once even under concurrent calls, and anew after the
 * client was destroyed or could not connect. What a serverless handler keeps in module scope.
 *
 * The function's errors are those of {@link connect}. A client whose connection was lost, say while the process was frozen, is
 * given as it is: its next status reconnects.
 *
 * @example
 * const button = reusable({ ...config, keepProcessAlive: false });
 * export const handler = (event: { status: string }) =>
 *   button().andThen((client) => exchange(client, Buffer.from(event.status), { timeoutMs: 2_000 }));
 */
export function reusable(config: ReusableConfig): () => ResultAsync<ClientHandle, ConnectError> {
  return reusableBy(() => connect(config));
}

export function reusableBy(
  connectAnew: () => ResultAsync<ClientHandle, ConnectError>,
): () => ResultAsync<ClientHandle, ConnectError> {
  let current: Promise<Result<ClientHandle, ConnectError>> | undefined;
  let client: ClientHandle | undefined;

  const start = async (): Promise<Result<ClientHandle, ConnectError>> => {
    const connected = await connectAnew();
    if (connected.isOk()) client = connected.value;
    else current = undefined;
    return connected;
  };

  return () => {
    if (client !== undefined && clientOf(client)?.isDestroyed === true) {
      client = undefined;
      current = undefined;
    }
    current ??= start();
    return new ResultAsync(current);
  };
}
