import {
  AutonomyCommand,
  AutonomyCommand_Action,
  AutonomyStatus,
  AutonomyStatus_State,
} from "../../generated/mission.js";
import { array, enum_, maxValue, minValue, number, object, pipe, string, undefinedable } from "valibot";
import { defineModule, protobuf } from "../index.js";

export { AutonomyError, type Position, type Station, type Telemetry } from "../../generated/mission.js";
export { AutonomyCommand, AutonomyStatus };

/**
 * The device types of the mission module.
 *
 * @example
 * const device = { deviceType: MissionDeviceType.AUTONOMY, deviceRole: "driving", deviceName: "autonomy1" };
 */
export const MissionDeviceType = { AUTONOMY: 0 } as const;

/**
 * What the vehicle does: the `state` of its status.
 *
 * @example
 * const isDriving = status.state === AutonomyState.DRIVE;
 */
export const AutonomyState = AutonomyStatus_State;

/**
 * What the vehicle is to do: the `action` of its command.
 *
 * @example
 * if (command.action === AutonomyAction.STOP) brake();
 */
export const AutonomyAction = AutonomyCommand_Action;

const position = undefinedable(object({ latitude: number(), longitude: number(), altitude: number() }));
const station = object({ name: string(), position });
const fuel = pipe(number(), minValue(0), maxValue(1));

/**
 * The mission module, number 1: the vehicle's autonomy.
 *
 * @example
 * const status = { telemetry: { speed: 3.5, fuel: 0.8, position: undefined }, state: AutonomyState.DRIVE, nextStop: undefined };
 * const command = await mission.exchange(autonomy, status);
 */
export const mission = defineModule({
  name: "mission",
  number: 1,
  status: protobuf<AutonomyStatus>(
    AutonomyStatus,
    object({
      telemetry: undefinedable(object({ speed: number(), fuel, position })),
      state: enum_(AutonomyState),
      nextStop: undefinedable(station),
    }),
  ),
  command: protobuf<AutonomyCommand>(
    AutonomyCommand,
    object({ stops: array(station), route: string(), action: enum_(AutonomyAction) }),
  ),
});
