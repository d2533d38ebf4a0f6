import { errAsync, ok, okAsync, type Err, type Ok, type Result, type ResultAsync } from "neverthrow";
import {
  closed,
  commands,
  connect,
  destroy,
  exchange,
  getCommand,
  sendStatus,
  withClient,
  type ClientHandle,
  type CommandsError,
  type Config,
  type ConnectError,
  type GetCommandError,
  type SendStatusError,
} from "../../lib/index.js";
import * as throwing from "../../lib/throwing.js";
import { same } from "./same.js";

declare const config: Config;
declare const client: ClientHandle;
declare const status: Uint8Array;

// The pipeline that users write, and what comes out of it.
export async function pipeline() {
  const command = await connect(config)
    .andThen((connected) => sendStatus(connected, status, { timeoutMs: 10_000 }))
    .andThen(getCommand);
  same<typeof command, Result<Uint8Array, ConnectError | SendStatusError | GetCommandError>>();
}

export const destroyed = destroy(client);
same<typeof destroyed, ResultAsync<void, never>>();
export const ended = closed(client);
same<typeof ended, ResultAsync<void, SendStatusError>>();

export async function reading() {
  await using stream = commands(client, { highWaterMark: 10 });
  const next = await stream.next();
  if (next.done === true) same<typeof next.value, undefined>();
  else same<typeof next.value, Result<Uint8Array, CommandsError>>();
}

// What use gives is what withClient gives, and its errors are added to connect's.
class OwnError extends Error {
  readonly kind = "own";
}
declare const result: Result<number, OwnError>;
export const plain = withClient(config, () => 7);
same<typeof plain, ResultAsync<number, ConnectError>>();
export const promised = withClient(config, async () => "text");
same<typeof promised, ResultAsync<string, ConnectError>>();
export const given = withClient(config, () => result);
same<typeof given, ResultAsync<number, OwnError | ConnectError>>();
export const later = withClient(config, () => okAsync<number, OwnError>(7));
same<typeof later, ResultAsync<number, OwnError | ConnectError>>();
export const promisedResult = withClient(config, async (used): Promise<Result<number, OwnError>> => {
  same<typeof used, ClientHandle>();
  return (await exchange(used, status)).map(({ length }) => length).mapErr(() => new OwnError());
});
same<typeof promisedResult, ResultAsync<number, OwnError | ConnectError>>();
export const alwaysOk: ResultAsync<number, ConnectError> = withClient(config, () => ok(7));
export const alwaysErr: ResultAsync<never, OwnError | ConnectError> = withClient(config, () =>
  errAsync(new OwnError()),
);

// The throwing entry gives the value alone.
export async function thrown() {
  const command = await throwing.withClient(config, (used) => throwing.exchange(used, status));
  same<typeof command, Uint8Array>();
  const value = await throwing.withClient(config, () => result);
  same<typeof value, number>();
  const sync = await throwing.withClient(config, () => 7);
  same<typeof sync, number>();
  const one = await throwing.withClient(config, (): Ok<number, never> | Err<never, OwnError> => ok(7));
  same<typeof one, number>();
  const handle = await throwing.connect(config);
  same<typeof handle, ClientHandle>();
  const last = throwing.getCommand(client);
  same<typeof last, Uint8Array>();
}

// A Buffer is a status, and options may be left out.
export const sent = [sendStatus(client, Buffer.from("status")), exchange(client, status, {})];
export const disposable: AsyncDisposable = client;

// Least and most of a configuration.
const device = { module: 1000, deviceType: 0, deviceRole: "left", deviceName: "button1" };
export const least: Config = { host: "127.0.0.1", port: 1636, device };
export const most: Config = {
  ...least,
  device: { ...device, priority: 0 },
  connectTimeoutMs: 4_000,
  maxMessageBytes: 1_024,
  signal: AbortSignal.timeout(1_000),
};

export const wrongConfigurations: Config[] = [
  // @ts-expect-error a port is a number
  { host: "127.0.0.1", port: "1636", device },
  // @ts-expect-error the host is missing
  { port: 1636, device },
  // @ts-expect-error the device is missing
  { host: "127.0.0.1", port: 1636 },
  // @ts-expect-error a misspelt option
  { host: "127.0.0.1", port: 1636, device, timeoutMs: 10 },
  // @ts-expect-error the reason of an abort is no signal
  { host: "127.0.0.1", port: 1636, device, signal: "stop" },
];

export function wrongCalls() {
  return [
    // @ts-expect-error a use is missing
    withClient(config),
    // @ts-expect-error a use is a function
    withClient(config, 7),
    // @ts-expect-error a status is bytes
    sendStatus(client, "status"),
    // @ts-expect-error an ArrayBuffer is not
    exchange(client, new ArrayBuffer(1)),
    // @ts-expect-error the status is missing
    exchange(client),
    // @ts-expect-error a timeout is a number
    exchange(client, status, { timeoutMs: "1s" }),
    // @ts-expect-error a Result is no handle: it has to be unwrapped first
    getCommand(connect(config)),
    // @ts-expect-error nor are its fields
    getCommand({ host: "127.0.0.1", port: 1636, device: { ...device, priority: 0 } }),
    // @ts-expect-error a misspelt option
    commands(client, { highWatermark: 1 }),
  ];
}

export function changes() {
  // @ts-expect-error a handle never changes
  client.port = 1;
  // @ts-expect-error nor does its device
  client.device.deviceRole = "right";
}
