import {
  exchange,
  withClient,
  type Device,
  type DeviceConfig,
  type InternalClientError,
  type Module,
} from "../index.js";
import { carAccessory } from "../modules/car-accessory.js";
import { example } from "../modules/example.js";
import { AutonomyState, missionProtobuf } from "../modules/mission-protobuf.js";
import { mission } from "../modules/mission.js";
import { transparent } from "../modules/transparent.js";
import type { Place } from "./check-device.js";
import { shown } from "./payload.js";
import { spacedJson } from "./text.js";

/** A module to check with, and a device type and status that it accepts. */
export interface Candidate {
  readonly module: number;
  readonly name: string;
  readonly deviceType: number;
  readonly status: Uint8Array;
  /** Whether it refuses some device types and statuses. */
  readonly isStrict: boolean;
  /** Sends the status through the library, and returns the command for people, or why there is none. */
  readonly ask: (place: Place, device: Device) => Promise<string | InternalClientError>;
}

/** In order of preference: mission comes last, because the gateway reports its devices to the cloud. */
export const knownModules: readonly Candidate[] = [
  known(example, 0, { pressed: true }, true),
  known(transparent, 0, "status", false),
  known(carAccessory, 4, [[{ inNum: 1, inSt: false }], [], { butPr: 0 }], true),
  known(mission, 1, { state: "IDLE", telemetry: { speed: 0 }, nextStop: null }, true),
  // It answers any status.
  known(
    missionProtobuf,
    1,
    { state: AutonomyState.IDLE, telemetry: { speed: 0, fuel: 1, position: undefined }, nextStop: undefined },
    false,
  ),
];

/** A module of which only what the user says is known. */
export function otherModule(module: number, deviceType: number, status: Uint8Array): Candidate {
  return {
    module,
    name: `module ${module}`,
    deviceType,
    status,
    isStrict: false,
    ask: (place, device) => ask<Uint8Array, Uint8Array>(place, device, status, (command) => shown(command)),
  };
}

function known<Status, Command>(
  module: Module<Status, Command>,
  deviceType: number,
  status: Status,
  isStrict: boolean,
): Candidate {
  const device = { module: module.number, deviceType, deviceRole: "", deviceName: "", priority: 0 };
  return {
    module: module.number,
    name: `module ${module.number}, ${module.name}`,
    deviceType,
    status: module.status.encode(status, device)._unsafeUnwrap(),
    isStrict,
    ask: (place, device) =>
      ask(place, { ...device, module }, status, (command) =>
        command === undefined ? "undefined" : spacedJson(command),
      ),
  };
}

async function ask<Status, Command>(
  { host, port, answerMs, signal }: Place,
  device: DeviceConfig<Status, Command>,
  status: Status,
  inWords: (command: Command) => string,
): Promise<string | InternalClientError> {
  const config = { host, port, device, connectTimeoutMs: answerMs, signal };
  const outcome = await withClient(config, (client) => exchange(client, status, { timeoutMs: answerMs, signal }));
  return outcome.isOk() ? inWords(outcome.value) : outcome.error;
}
