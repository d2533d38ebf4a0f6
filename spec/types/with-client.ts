import { errAsync, ok, okAsync, type Err, type Ok, type Result, type ResultAsync } from "neverthrow";
import {
  exchange,
  getCommand,
  withClient,
  type ClientHandle,
  type Config,
  type ConnectError,
  type GetCommandError,
  type SendStatusError,
} from "../../lib/index.js";
import * as throwing from "../../lib/throwing.js";
import { same } from "./same.js";

declare const config: Config;
declare const status: Uint8Array;

class OwnError extends Error {
  readonly kind = "own";
}

// What use gives is what withClient gives, and its errors are added to connect's.
export const plain = withClient(config, () => 7);
same<typeof plain, ResultAsync<number, ConnectError>>();

export const promised = withClient(config, async () => "text");
same<typeof promised, ResultAsync<string, ConnectError>>();

export const nothing = withClient(config, async () => {
  await Promise.resolve();
});
same<typeof nothing, ResultAsync<void, ConnectError>>();

export const exchanged = withClient(config, (client) => exchange(client, status));
same<typeof exchanged, ResultAsync<Uint8Array, SendStatusError | ConnectError>>();

export const read = withClient(config, (client) => getCommand(client));
same<typeof read, ResultAsync<Uint8Array, GetCommandError | ConnectError>>();

export const promisedResult = withClient(config, async (client): Promise<Result<number, OwnError>> => {
  same<typeof client, ClientHandle>();
  return (await exchange(client, status)).map(({ length }) => length).mapErr(() => new OwnError());
});
same<typeof promisedResult, ResultAsync<number, OwnError | ConnectError>>();

declare const result: Result<number, OwnError>;
export const given = withClient(config, () => result);
same<typeof given, ResultAsync<number, OwnError | ConnectError>>();

export const later = withClient(config, () => okAsync<number, OwnError>(7));
same<typeof later, ResultAsync<number, OwnError | ConnectError>>();

export const alwaysOk: ResultAsync<number, ConnectError> = withClient(config, () => ok(7));
export const alwaysErr: ResultAsync<never, OwnError | ConnectError> = withClient(config, () =>
  errAsync(new OwnError()),
);

export const wrongUses = [
  // @ts-expect-error a use is missing
  withClient(config),
  // @ts-expect-error a use is a function
  withClient(config, 7),
];

// The throwing entry gives the value alone.
export async function thrown() {
  const command = await throwing.withClient(config, (client) => throwing.exchange(client, status));
  same<typeof command, Uint8Array>();
  const value = await throwing.withClient(config, () => result);
  same<typeof value, number>();
  const sync = await throwing.withClient(config, () => 7);
  same<typeof sync, number>();
  const one = await throwing.withClient(config, (): Ok<number, never> | Err<never, OwnError> => ok(7));
  same<typeof one, number>();
  const client = await throwing.connect(config);
  same<typeof client, ClientHandle>();
  const latest = throwing.getCommand(client);
  same<typeof latest, Uint8Array>();
  const disposable: AsyncDisposable = client;
  return disposable;
}
