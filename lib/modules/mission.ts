import { array, finite, nullable, number, object, optional, picklist, pipe, string } from "valibot";
import { defineModule, json } from "../index.js";

/**
 * The only device type of the mission module.
 *
 * @example
 * const device = { module: mission, deviceType: MissionDeviceType.AUTONOMY, deviceRole: "driving", deviceName: "autonomy1" };
 */
export const MissionDeviceType = { AUTONOMY: 1 } as const;

/**
 * What the vehicle does: the `state` of its status.
 *
 * @example
 * const isDriving = status.state === AutonomyState.DRIVE;
 */
export const AutonomyState = {
  /** It has nothing to do. */
  IDLE: "IDLE",
  /** It drives to its next stop. */
  DRIVE: "DRIVE",
  /** It stands at a stop. */
  IN_STOP: "IN_STOP",
  /** An obstacle holds it up. */
  OBSTACLE: "OBSTACLE",
  /** It has failed. */
  ERROR: "ERROR",
} as const;

/**
 * What the vehicle is to do: the `action` of its command.
 *
 * @example
 * if (command.action === AutonomyAction.STOP) brake();
 */
export const AutonomyAction = { NO_ACTION: "NO_ACTION", STOP: "STOP", START: "START" } as const;

/**
 * Where something is.
 *
 * @example
 * const position: Position = { latitude: 49.2, longitude: 16.6, altitude: 230 };
 */
export type Position = {
  /** In degrees, north positive. */
  latitude: number;
  /** In degrees, east positive. */
  longitude: number;
  /** In metres above sea level. */
  altitude: number;
};

/**
 * A stop of the mission.
 *
 * @example
 * const stop: Station = { name: "A", position: { latitude: 49.2, longitude: 16.6, altitude: 230 } };
 */
export type Station = {
  /** What the stop is called. */
  name: string;
  /** Where it is. */
  position: Position;
};

/**
 * What the vehicle is doing.
 *
 * @example
 * const status: MissionStatus = { state: "IDLE", telemetry: { speed: 0 }, nextStop: null };
 */
export type MissionStatus = {
  /** `"IDLE"`, `"DRIVE"`, `"IN_STOP"`, `"OBSTACLE"` or `"ERROR"`: see {@link AutonomyState}. */
  state: keyof typeof AutonomyState;
  telemetry: {
    /** In metres per second. Above 1 m/s, the module forwards a status every 2.9 s even if nothing has changed. */
    speed: number;
    /** How much fuel is left, from 0 to 1. */
    fuel?: number | undefined;
    /** Where the vehicle is. */
    position?: Position | undefined;
  };
  /** The stop that the vehicle drives to or stands at; `null` if there is none. */
  nextStop: Station | null;
};

/**
 * What the vehicle is to do. The first command is `NO_ACTION` with an empty route and no stops.
 *
 * @example
 * const command: MissionCommand = { action: "START", stops: [stop], route: "r1" };
 */
export type MissionCommand = {
  /** `"NO_ACTION"`, `"STOP"` or `"START"`. */
  action: keyof typeof AutonomyAction;
  /** The stops still ahead; the module removes the first when the vehicle is `IN_STOP` there. */
  stops: Station[];
  /** The route's name; may be empty. */
  route: string;
};

const finiteNumber = /* @__PURE__ */ pipe(/* @__PURE__ */ number(), /* @__PURE__ */ finite());
const position = /* @__PURE__ */ object({ latitude: finiteNumber, longitude: finiteNumber, altitude: finiteNumber });
const station = /* @__PURE__ */ object({ name: /* @__PURE__ */ string(), position });
const status = /* @__PURE__ */ object({
  state: /* @__PURE__ */ picklist(["IDLE", "DRIVE", "IN_STOP", "OBSTACLE", "ERROR"]),
  telemetry: /* @__PURE__ */ object({
    speed: finiteNumber,
    fuel: /* @__PURE__ */ optional(finiteNumber),
    position: /* @__PURE__ */ optional(position),
  }),
  nextStop: /* @__PURE__ */ nullable(station),
});
const command = /* @__PURE__ */ object({
  action: /* @__PURE__ */ picklist(["NO_ACTION", "STOP", "START"]),
  stops: /* @__PURE__ */ array(station),
  route: /* @__PURE__ */ string(),
});

/**
 * The mission module since 1.3.0, number 1: the vehicle's autonomy, in JSON. For a gateway with an older version, use
 * `fleet-internal-client/modules/mission-protobuf`.
 *
 * @example
 * const command = await exchange(autonomy, { state: "DRIVE", telemetry: { speed: 3.5, fuel: 0.8 }, nextStop: stop });
 */
export const mission = /* @__PURE__ */ defineModule({
  name: "mission",
  number: 1,
  status: /* @__PURE__ */ json<MissionStatus>(status),
  command: /* @__PURE__ */ json<MissionCommand>(command),
});
