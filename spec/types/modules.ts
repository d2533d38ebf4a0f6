import type { Result, ResultAsync } from "neverthrow";
import { boolean, object } from "valibot";
import {
  defineModule,
  json,
  protobuf,
  text,
  type ClientHandle,
  type Codec,
  type ConnectError,
  type GetCommandError,
  type SendStatusError,
  type UnreadableCommandError,
} from "../../lib/index.js";
import { carAccessory, type CarAccessoryCommand, type CarAccessoryStatus } from "../../lib/modules/car-accessory.js";
import { example } from "../../lib/modules/example.js";
import type { AutonomyStatus, mission } from "../../lib/modules/mission.js";
import { AutonomyCommand } from "../../lib/modules/mission.js";
import type { transparent } from "../../lib/modules/transparent.js";
import * as throwing from "../../lib/throwing.js";
import { same } from "./same.js";

declare const client: ClientHandle;

interface ButtonStatus {
  pressed: boolean;
}
interface ButtonCommand {
  lit_up: boolean;
}
declare function isButtonCommand(value: unknown): value is ButtonCommand;

// The payloads' types come from the codecs.
const button = defineModule({
  name: "example",
  number: 1000,
  status: json<ButtonStatus>(),
  command: json(isButtonCommand),
});
const exchanged = button.exchange(client, { pressed: true });
same<typeof exchanged, ResultAsync<ButtonCommand, SendStatusError>>();
const sent = button.sendStatus(client, { pressed: true }, { timeoutMs: 1_000 });
same<typeof sent, ResultAsync<ClientHandle, SendStatusError>>();
const latest = button.getCommand(client);
same<typeof latest, Result<ButtonCommand, GetCommandError | UnreadableCommandError>>();

export async function reading() {
  for await (const command of button.commands(client)) {
    same<typeof command, Result<ButtonCommand, UnreadableCommandError>>();
  }
}

// The module's number is filled in.
const device = { deviceType: 0, deviceRole: "left", deviceName: "button1" };
const connected = button.connect({ host: "127.0.0.1", port: 1636, device });
same<typeof connected, ResultAsync<ClientHandle, ConnectError>>();
const used = button.withClient({ host: "127.0.0.1", port: 1636, device }, (handle) =>
  button.exchange(handle, { pressed: false }),
);
same<typeof used, ResultAsync<ButtonCommand, SendStatusError | ConnectError>>();
const counted = button.withClient({ host: "127.0.0.1", port: 1636, device }, async () => 7);
same<typeof counted, ResultAsync<number, ConnectError>>();

export const wrongCalls = [
  // @ts-expect-error a status of another kind
  button.exchange(client, { pressed: "yes" }),
  // @ts-expect-error bytes are for the raw functions
  button.sendStatus(client, Uint8Array.of(1)),
  // @ts-expect-error the device lacks its role
  button.connect({ host: "127.0.0.1", port: 1636, device: { deviceType: 0, deviceName: "button1" } }),
];

// @ts-expect-error a module has a number
defineModule({ name: "numberless" });
// @ts-expect-error an async function tells nothing in time
json(async (value: unknown) => value === 1);

// Without codecs, payloads are bytes.
const bytes = defineModule({ name: "bytes", number: 1003 });
same<Parameters<typeof bytes.exchange>[1], Uint8Array>();
same<ReturnType<typeof bytes.exchange>, ResultAsync<Uint8Array, SendStatusError>>();
const oneWay = defineModule({ name: "display", number: 1001, status: text() });
same<Parameters<typeof oneWay.exchange>[1], string>();
same<ReturnType<typeof oneWay.exchange>, ResultAsync<Uint8Array, SendStatusError>>();

// What codecs are of.
const fromSchema = json(object({ lit_up: boolean() }));
same<typeof fromSchema, Codec<{ lit_up: boolean }>>();
const fromGuard = json(isButtonCommand);
same<typeof fromGuard, Codec<ButtonCommand>>();
const fromMessage = protobuf(AutonomyCommand);
same<typeof fromMessage, Codec<AutonomyCommand>>();
same<ReturnType<typeof text>, Codec<string>>();

// The modules that come with the library.
same<Parameters<typeof example.exchange>[1]["pressed"], boolean>();
same<Parameters<typeof carAccessory.exchange>[1], CarAccessoryStatus>();
same<ReturnType<typeof carAccessory.exchange>, ResultAsync<CarAccessoryCommand, SendStatusError>>();
same<ReturnType<typeof transparent.exchange>, ResultAsync<string, SendStatusError>>();
same<Parameters<typeof mission.exchange>[1], AutonomyStatus>();
same<ReturnType<typeof mission.exchange>, ResultAsync<AutonomyCommand, SendStatusError>>();
// @ts-expect-error there is no such action
export const wrongAction = carAccessory.command.encode([{ outNum: 1, actType: 3 }]);

// A module of the throwing entry gives payloads alone.
const throwingButton = throwing.defineModule(example);
export async function thrown() {
  const { lit_up } = await throwingButton.exchange(client, { pressed: true });
  same<typeof lit_up, boolean>();
  same<typeof throwingButton.destroy, (handle: ClientHandle) => Promise<void>>();
  for await (const command of throwingButton.commands(client)) same<typeof command.lit_up, boolean>();
}
