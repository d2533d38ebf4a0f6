import { array, enum_, finite, number, object, pipe, string, undefinedable } from "valibot";
import {
  AutonomyCommand,
  AutonomyCommand_Action,
  AutonomyStatus,
  AutonomyStatus_State,
} from "../../generated/mission.js";
import { defineModule, protobuf } from "../index.js";
import { withTextEncoding } from "../protobuf/generated.js";

export { AutonomyError, type Position, type Station, type Telemetry } from "../../generated/mission.js";
export { MissionDeviceType } from "./mission.js";
export { AutonomyCommand, AutonomyStatus };

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

const finiteNumber = /* @__PURE__ */ pipe(/* @__PURE__ */ number(), /* @__PURE__ */ finite());
const position = /* @__PURE__ */ undefinedable(
  /* @__PURE__ */ object({ latitude: finiteNumber, longitude: finiteNumber, altitude: finiteNumber }),
);
const station = /* @__PURE__ */ object({ name: /* @__PURE__ */ string(), position });
const status = /* @__PURE__ */ object({
  telemetry: /* @__PURE__ */ undefinedable(
    /* @__PURE__ */ object({ speed: finiteNumber, fuel: finiteNumber, position }),
  ),
  state: /* @__PURE__ */ enum_(AutonomyState),
  nextStop: /* @__PURE__ */ undefinedable(station),
});
const command = /* @__PURE__ */ object({
  stops: /* @__PURE__ */ array(station),
  route: /* @__PURE__ */ string(),
  action: /* @__PURE__ */ enum_(AutonomyAction),
});

/**
 * The mission module up to 1.2.13, number 1: the vehicle's autonomy, in protobuf. Since 1.3.0 it is `mission` of
 * `fleet-internal-client/modules/mission`. The first command is 0 bytes: no action, no stops.
 *
 * @example
 * const status = { telemetry: { speed: 3.5, fuel: 0.8, position: undefined }, state: AutonomyState.DRIVE, nextStop: undefined };
 * const command = await exchange(autonomy, status);
 */
export const missionProtobuf = /* @__PURE__ */ defineModule({
  name: "mission (protobuf)",
  number: 1,
  status: /* @__PURE__ */ protobuf<AutonomyStatus>(/* @__PURE__ */ withTextEncoding(AutonomyStatus), status),
  command: /* @__PURE__ */ protobuf<AutonomyCommand>(/* @__PURE__ */ withTextEncoding(AutonomyCommand), command),
});
