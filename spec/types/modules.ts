import type { Result, ResultAsync } from "neverthrow";
import { boolean, object, pipe, string, transform } from "valibot";
import {
  commands,
  connect,
  defineModule,
  every,
  exchange,
  getCommand,
  json,
  lazyClient,
  optional,
  protobuf,
  runDevice,
  sendStatus,
  sendStatuses,
  text,
  withClient,
  type ClientHandle,
  type Codec,
  type CommandsError,
  type ConnectError,
  type GetCommandError,
  type Module,
  type RunDeviceError,
  type SendStatusError,
} from "../../lib/index.js";
import { carAccessory, type CarAccessoryCommand } from "../../lib/modules/car-accessory.js";
import { example, type ExampleCommand, type ExampleStatus } from "../../lib/modules/example.js";
import { mission, type MissionCommand } from "../../lib/modules/mission.js";
import { AutonomyCommand } from "../../lib/modules/mission-protobuf.js";
import { transparent } from "../../lib/modules/transparent.js";
import * as throwing from "../../lib/throwing.js";
import { same } from "./same.js";

interface ButtonStatus {
  pressed: boolean;
}
interface ButtonCommand {
  lit_up: boolean;
}
declare function isButtonCommand(value: unknown): value is ButtonCommand;
declare const bytes: Uint8Array;

// The payloads' types come from the codecs.
const button = defineModule({
  name: "button",
  number: 1001,
  status: json<ButtonStatus>(),
  command: json(isButtonCommand),
});
same<typeof button, Module<ButtonStatus, ButtonCommand>>();

const place = { host: "127.0.0.1", port: 1636 };
const left = { deviceType: 0, deviceRole: "left", deviceName: "button1" };
const config = { ...place, device: { module: button, ...left } };
const raw = { ...place, device: { module: 1001, ...left } };

// The handle carries them, through every function.
const connected = connect(config);
same<typeof connected, ResultAsync<ClientHandle<ButtonStatus, ButtonCommand>, ConnectError>>();
const piped = connected.andThen((client) => sendStatus(client, { pressed: true })).andThen(getCommand);
same<typeof piped, ResultAsync<ButtonCommand, ConnectError | SendStatusError | GetCommandError>>();
const used = withClient(config, (client) => exchange(client, { pressed: true }, { timeoutMs: 1_000 }));
same<typeof used, ResultAsync<ButtonCommand, SendStatusError | ConnectError>>();
const lazy = lazyClient(config);
same<ReturnType<typeof lazy>, ResultAsync<ClientHandle<ButtonStatus, ButtonCommand>, ConnectError>>();

declare const client: ClientHandle<ButtonStatus, ButtonCommand>;

export async function iterating() {
  for await (const command of commands(client)) same<typeof command, Result<ButtonCommand, CommandsError>>();
  const source = every(1_000, () => ({ pressed: true }));
  for await (const outcome of sendStatuses(client, source))
    same<typeof outcome, Result<ButtonCommand, SendStatusError>>();
  for await (const command of runDevice(config, source)) same<typeof command, Result<ButtonCommand, RunDeviceError>>();
  for await (const command of runDevice(raw, [bytes])) same<typeof command, Result<Uint8Array, RunDeviceError>>();
}

export const wrongCalls = [
  // @ts-expect-error a status of another kind
  exchange(client, { pressed: "yes" }),
  // @ts-expect-error bytes are for a device whose module is a number
  sendStatus(client, Uint8Array.of(1)),
  // @ts-expect-error another module's status
  sendStatuses(client, [{ lit_up: true }]),
  // @ts-expect-error a misspelt option
  exchange(client, { pressed: true }, { timeout: 1_000 }),
  // @ts-expect-error the device lacks its role
  connect({ ...place, device: { module: button, deviceType: 0, deviceName: "button1" } }),
];

export function typed(given: ClientHandle<ButtonStatus, ButtonCommand>): boolean {
  // @ts-expect-error a handle of another module's
  return lampOf(given);
}
declare function lampOf(handle: ClientHandle<{ stops: string[] }, ButtonCommand>): boolean;

// @ts-expect-error a module has a number
defineModule({ name: "numberless" });
// @ts-expect-error an async function cannot tell in time
json(async (value: unknown) => value === 1);

// Without codecs, payloads are bytes.
same<ReturnType<typeof bytesModule>, Module>();
declare function bytesModule(): Module;
const oneWay = defineModule({ name: "display", number: 1001, status: text() });
same<typeof oneWay, Module<string>>();

// What codecs are of; of a schema that transforms, a status takes the input and a command has the output.
const upper = pipe(
  object({ name: string() }),
  transform(({ name }) => name),
);
same<ReturnType<typeof text>, Codec<string>>();
const fromSchema = json(object({ lit_up: boolean() }));
same<typeof fromSchema, Codec<{ lit_up: boolean }>>();
const fromMessage = protobuf(AutonomyCommand);
same<typeof fromMessage, Codec<AutonomyCommand>>();
const transforming = defineModule({ name: "names", number: 1002, status: json(upper), command: json(upper) });
same<typeof transforming, Module<{ name: string }, string>>();

// An optional command is undefined where it completes a status, and nowhere else.
const pushing = defineModule({ name: "pushing", number: 1003, command: optional(json(isButtonCommand)) });
declare const pushed: ClientHandle<Uint8Array, ButtonCommand | undefined>;
same<typeof pushing, Module<Uint8Array, ButtonCommand | undefined>>();
const answer = exchange(pushed, bytes);
same<typeof answer, ResultAsync<ButtonCommand | undefined, SendStatusError>>();
const latest = getCommand(pushed);
same<typeof latest, Result<ButtonCommand, GetCommandError>>();

// The modules that come with the library.
same<typeof example, Module<ExampleStatus, ExampleCommand>>();
export const lit = connect({ ...place, device: { module: example, ...left } });
same<typeof lit, ResultAsync<ClientHandle<ExampleStatus, ExampleCommand>, ConnectError>>();
declare const handleOf: <Status, Command>(module: Module<Status, Command>) => ClientHandle<Status, Command>;
export const board = exchange(handleOf(carAccessory), [[], [], { butPr: 0 }]);
same<typeof board, ResultAsync<CarAccessoryCommand | undefined, SendStatusError>>();
export const autonomy = exchange(handleOf(mission), { state: "DRIVE", telemetry: { speed: 1 }, nextStop: null });
same<typeof autonomy, ResultAsync<MissionCommand, SendStatusError>>();
export const anything = exchange(handleOf(transparent), "text");
same<typeof anything, ResultAsync<string | undefined, SendStatusError>>();

// The throwing entry: the same, and the values alone.
export async function thrown() {
  await using one = await throwing.connect(config);
  const { lit_up } = await throwing.exchange(one, { pressed: true });
  same<typeof lit_up, boolean>();
  for await (const command of throwing.commands(one)) same<typeof command, ButtonCommand>();
  for await (const command of throwing.runDevice(config, [{ pressed: true }])) same<typeof command, ButtonCommand>();
}
