import { describe, expect, it } from "@jest/globals";
import {
  carAccessory,
  CarAccessoryDeviceType,
  OutputAction,
  type CarAccessoryStatus,
} from "../../lib/modules/car-accessory.js";
import { example, ExampleDeviceType } from "../../lib/modules/example.js";
import { missionProtobuf } from "../../lib/modules/mission-protobuf.js";
import * as former from "../../lib/modules/mission-protobuf.js";
import { AutonomyAction, AutonomyState, mission, MissionDeviceType } from "../../lib/modules/mission.js";
import { transparent } from "../../lib/modules/transparent.js";
import { hex, utf8 } from "../support/bytes.js";
import { read, unreadable, unwritable, written } from "./coding.js";

const modules = { mission, missionProtobuf, carAccessory, transparent, example };

it.each<[name: keyof typeof modules, number: number, called: string]>([
  ["mission", 1, "mission"],
  ["missionProtobuf", 1, "mission (protobuf)"],
  ["carAccessory", 2, "car accessory"],
  ["transparent", 3, "transparent"],
  ["example", 1000, "example"],
])("%s is module %i, and is called %j", (name, number, called) => {
  expect([modules[name].number, modules[name].name]).toEqual([number, called]);
});

it("the types of devices, the states and the actions are those of the modules", () => {
  expect(ExampleDeviceType).toEqual({ BUTTON: 0 });
  expect(CarAccessoryDeviceType).toEqual({ ARDUINO_OPTA: 1, ARDUINO_MEGA: 2, ARDUINO_UNO: 3, BUTTON: 4 });
  expect(OutputAction).toEqual({ SET_OFF: 0, SET_ON: 1, TOGGLE: 2 });
  expect(MissionDeviceType).toEqual({ AUTONOMY: 1 });
  expect(Object.keys(AutonomyState)).toEqual(["IDLE", "DRIVE", "IN_STOP", "OBSTACLE", "ERROR"]);
  expect(Object.keys(AutonomyAction)).toEqual(["NO_ACTION", "STOP", "START"]);
  expect(former.AutonomyState).toMatchObject({ IDLE: 0, DRIVE: 1, IN_STOP: 2, OBSTACLE: 3, ERROR: 4 });
  expect(former.AutonomyAction).toMatchObject({ NO_ACTION: 0, STOP: 1, START: 2 });
});

describe("the example module", () => {
  it.each([
    [true, "7b2270726573736564223a20747275657d"],
    [false, "7b2270726573736564223a2066616c73657d"],
  ])("writes that the button is pressed, byte for byte as the module compares it: %p", (pressed, bytes) => {
    expect(written(example.status, { pressed })).toBe(bytes);
  });

  it("reads the real gateway's commands", () => {
    expect(read(example.command, "7b226c69745f7570223a2066616c73657d")).toEqual({ lit_up: false });
    expect(read(example.command, "7b226c69745f7570223a20747275657d")).toEqual({ lit_up: true });
  });
});

describe("the car accessory module", () => {
  const status = [
    [{ inNum: 1, inSt: false }],
    [{ outNum: 1, outErr: false, outSt: false }],
    { butPr: 0 },
  ] satisfies CarAccessoryStatus;

  it("writes inputs, outputs and the button", () => {
    const json = '[[{"inNum":1,"inSt":false}],[{"outNum":1,"outErr":false,"outSt":false}],{"butPr":0}]';
    expect(written(carAccessory.status, status)).toBe(hex(utf8(json)));
  });

  it("writes a board without outputs, as the real gateway's own button does but for the spaces", () => {
    const recorded =
      "5b5b7b22696e4e756d223a20312c2022696e5374223a2066616c73657d5d2c205b5d2c207b226275745072223a20307d5d";
    const button: CarAccessoryStatus = [[{ inNum: 1, inSt: false }], [], { butPr: 0 }];
    expect(written(carAccessory.status, button)).toBe(recorded.replaceAll("20", ""));
  });

  it("reads null, where there is nothing to do, and what each output is to do", () => {
    const command = '[{"outNum":1,"actType":1}, {"outNum":2,"actType":0},{"outNum":7,"actType":2}]';
    expect(read(carAccessory.command, "6e756c6c")).toBeNull();
    expect(read(carAccessory.command, hex(utf8(command)))).toEqual([
      { outNum: 1, actType: OutputAction.SET_ON },
      { outNum: 2, actType: OutputAction.SET_OFF },
      { outNum: 7, actType: OutputAction.TOGGLE },
    ]);
  });

  it.each([
    ["Opta", CarAccessoryDeviceType.ARDUINO_OPTA, 6, 4],
    ["Mega", CarAccessoryDeviceType.ARDUINO_MEGA, 4, 4],
    ["Uno", CarAccessoryDeviceType.ARDUINO_UNO, 6, 7],
    ["button", CarAccessoryDeviceType.BUTTON, 1, 0],
  ])("writes for the board %s at least its inputs and outputs", (_board, type, inputs, outputs) => {
    const statusOf = (ins: number, outs: number): CarAccessoryStatus => [
      Array.from({ length: ins }, (_, i) => ({ inNum: i + 1, inSt: false })),
      Array.from({ length: outs }, (_, i) => ({ outNum: i + 1, outErr: false, outSt: false })),
      { butPr: 0 },
    ];
    expect(written(carAccessory.status, statusOf(inputs, outputs), type)).not.toBe("");
    expect(unwritable(carAccessory.status, statusOf(inputs - 1, outputs), type)).toBeDefined();
    if (outputs > 0) expect(unwritable(carAccessory.status, statusOf(inputs, outputs - 1), type)).toBeDefined();
  });
});

it.each([
  ["default_command", "64656661756c745f636f6d6d616e64", "default_command"],
  ['"Stav žluťoučký"', "225374617620c5be6c75c5a56f75c48d6bc3bd22", '"Stav žluťoučký"'],
  ["", "", undefined],
])("the transparent module writes and reads text as it is, and no text as no command: %j", (status, bytes, command) => {
  expect(written(transparent.status, status)).toBe(bytes);
  expect(read(transparent.command, bytes)).toBe(command);
});

const missionStatus = { state: AutonomyState.DRIVE, telemetry: { speed: 7.2 }, nextStop: null };

describe("the mission module", () => {
  it("writes its status in JSON, with and without fuel, position and next stop", () => {
    const position = { latitude: 49.2, longitude: 16.6, altitude: 230 };
    const full = {
      ...missionStatus,
      telemetry: { speed: 7.2, fuel: 0.62, position },
      nextStop: { name: "A", position },
    };
    for (const status of [missionStatus, full]) {
      const bytes = Buffer.from(written(mission.status, status), "hex");
      expect(JSON.parse(bytes.toString())).toEqual(status);
    }
  });

  it("reads the stops, the route and the action", () => {
    const command = {
      action: "START",
      stops: [{ name: "A", position: { latitude: 1, longitude: 2, altitude: 3 } }],
      route: "r1",
    };
    expect(read(mission.command, hex(utf8(JSON.stringify(command))))).toEqual(command);
  });
});

const idle = { telemetry: undefined, state: former.AutonomyState.IDLE, nextStop: undefined };

// Numbers of 8 bytes, the lowest first:
// 3.5 is 0000000000000c40, 0.5 is 000000000000e03f, 49.5 is 0000000000c04840, 16.25 is 0000000000403040, 256 is 0000000000007040.
describe("the mission module up to 1.2.13, in protobuf", () => {
  it("writes telemetry, state and the next stop", () => {
    const position = { latitude: 49.5, longitude: 16.25, altitude: 256 };
    const positionBytes = "09" + "0000000000c04840" + "11" + "0000000000403040" + "19" + "0000000000007040";
    const telemetryBytes = `090000000000000c4011000000000000e03f1a1b${positionBytes}`;
    const stopBytes = `0a0653746f702041121b${positionBytes}`;
    const status = {
      telemetry: { speed: 3.5, fuel: 0.5, position },
      state: former.AutonomyState.DRIVE,
      nextStop: { name: "Stop A", position },
    };
    expect(written(missionProtobuf.status, status)).toBe(`0a2f${telemetryBytes}10011a25${stopBytes}`);
  });

  it("writes a standing vehicle at latitude and longitude 0 as only empty messages", () => {
    const telemetry = { speed: 0, fuel: 0, position: { latitude: 0, longitude: 0, altitude: 0 } };
    expect(written(missionProtobuf.status, { ...idle, telemetry })).toBe("0a021a00");
  });

  it("reads the stops, the route and the action, and an empty command", () => {
    const command = "0a0e0a014112091100000000000000c0" + "0a030a0142" + "12025231" + "1802";
    expect(read(missionProtobuf.command, command)).toEqual({
      stops: [
        { name: "A", position: { latitude: 0, longitude: -2, altitude: 0 } },
        { name: "B", position: undefined },
      ],
      route: "R1",
      action: former.AutonomyAction.START,
    });
    const nothing = { stops: [], route: "", action: former.AutonomyAction.NO_ACTION };
    expect(read(missionProtobuf.command, "")).toEqual(nothing);
  });
});

describe("what is not of the module's types is an error that says where:", () => {
  const position = { latitude: 0, longitude: 0, altitude: 0 };

  it.each<[name: keyof typeof modules, path: string, status: unknown]>([
    ["example", "$.pressed", { pressed: "yes" }],
    ["example", "$", null],
    ["carAccessory", "$[0][0].inSt", [[{ inNum: 1, inSt: 0 }], [], { butPr: 0 }]],
    ["carAccessory", "$[1][0].outSt", [[], [{ outNum: 1, outErr: false }], { butPr: 0 }]],
    ["carAccessory", "$[2]", [[], []]],
    ["transparent", "$", 7],
    ["mission", "$.state", { ...missionStatus, state: "FLYING" }],
    ["mission", "$.telemetry.speed", { ...missionStatus, telemetry: { speed: Infinity } }],
    ["mission", "$.nextStop", { state: "IDLE", telemetry: { speed: 0 } }],
    ["missionProtobuf", "$.state", { ...idle, state: 9 }],
    ["missionProtobuf", "$.telemetry.speed", { ...idle, telemetry: { speed: "fast", fuel: 0, position } }],
    ["missionProtobuf", "$", "idle"],
  ])("a status of %s, at %s", (name, path, status) => {
    expect(unwritable(modules[name].status, status).path).toBe(path);
  });

  it.each<[name: keyof typeof modules, path: string, bytes: string]>([
    ["example", "$.lit_up", hex(utf8('{"lit_up":1}'))],
    ["example", "$.lit_up", hex(utf8("{}"))],
    ["carAccessory", "$[0].actType", hex(utf8('[{"outNum":1,"actType":3}]'))],
    ["carAccessory", "$[1].outNum", hex(utf8('[{"outNum":1,"actType":0},{"outNum":1.5,"actType":0}]'))],
    ["carAccessory", "$", hex(utf8('{"outNum":1,"actType":1}'))],
    ["carAccessory", "$[0]", hex(utf8("[null]"))],
    ["transparent", "$", "ff"],
    ["missionProtobuf", "$", "12055231"],
    ["missionProtobuf", "$.action", "1807"],
  ])("a command of %s, at %s", (name, path, bytes) => {
    expect(unreadable(modules[name].command, bytes).path).toBe(path);
  });
});
