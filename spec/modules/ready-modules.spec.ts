import { afterEach, describe, expect, it } from "@jest/globals";
import { connect, exchange, type Module } from "../../lib/index.js";
import {
  carAccessory,
  CarAccessoryDeviceType,
  OutputAction,
  type CarAccessoryStatus,
} from "../../lib/modules/car-accessory.js";
import { example, ExampleDeviceType } from "../../lib/modules/example.js";
import {
  AutonomyAction,
  AutonomyState,
  mission,
  MissionDeviceType,
  type MissionStatus,
} from "../../lib/modules/mission.js";
import { missionProtobuf } from "../../lib/modules/mission-protobuf.js";
import * as former from "../../lib/modules/mission-protobuf.js";
import { transparent } from "../../lib/modules/transparent.js";
import { fromHex, hex, utf8 } from "../support/bytes.js";
import { endAll, keep, openGateway } from "../support/opened.js";

afterEach(endAll);

/** Has a device of the module send the status, and the gateway answer with those bytes. */
async function exchangeOver<Status, Command>(
  module: Module<Status, Command>,
  status: Status,
  answer: Uint8Array,
  deviceType = 0,
) {
  const gateway = await openGateway({ answer: () => answer });
  const device = { module, deviceType, deviceRole: "test", deviceName: "device1" };
  const client = keep((await connect({ host: gateway.host, port: gateway.port, device }))._unsafeUnwrap());
  const outcome = await exchange(client, status);
  expect(gateway.devices[0]?.module).toBe(module.number);
  return { sent: gateway.statuses(), outcome };
}

async function expectUnwritable<Status, Command>(module: Module<Status, Command>, status: unknown, path: string) {
  const { sent, outcome } = await exchangeOver(module, status as Status, utf8("null"));
  const error = outcome._unsafeUnwrapErr();
  expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
  expect(error.message).toContain(`at ${path},`);
  expect(sent).toEqual([]);
}

async function expectUnreadable<Status, Command>(
  module: Module<Status, Command>,
  status: Status,
  answer: Uint8Array,
  path: string,
) {
  const { outcome } = await exchangeOver(module, status, answer);
  const error = outcome._unsafeUnwrapErr();
  expect(error).toMatchObject({ code: "COMMAND_INCORRECT", family: "communication", payload: answer });
  expect(error.message).toContain(`at ${path},`);
}

describe("the example module", () => {
  it("is number 1000, with one type of device", () => {
    expect([example.number, example.name]).toEqual([1000, "example"]);
    expect(ExampleDeviceType).toEqual({ BUTTON: 0 });
  });

  it.each([
    [true, "7b2270726573736564223a20747275657d"],
    [false, "7b2270726573736564223a2066616c73657d"],
  ])("writes that the button is pressed, byte for byte as the module compares it: %p", async (pressed, bytes) => {
    const { sent } = await exchangeOver(example, { pressed }, utf8('{"lit_up":true}'));
    expect(sent.map(hex)).toEqual([bytes]);
  });

  it.each([
    ["7b226c69745f7570223a2066616c73657d", false],
    ["7b226c69745f7570223a20747275657d", true],
  ])("reads the real gateway's command %s", async (bytes, litUp) => {
    const { outcome } = await exchangeOver(example, { pressed: true }, fromHex(bytes));
    expect(outcome._unsafeUnwrap()).toEqual({ lit_up: litUp });
  });

  it.each(['{"lit_up":1}', "{}"])("does not read %s", async (command) => {
    await expectUnreadable(example, { pressed: true }, utf8(command), "$.lit_up");
  });

  it("does not write what is not a status of the module", async () => {
    await expectUnwritable(example, { pressed: "yes" }, "$.pressed");
    await expectUnwritable(example, null, "$");
  });
});

describe("the car accessory module", () => {
  const status = [
    [{ inNum: 1, inSt: false }],
    [{ outNum: 1, outErr: false, outSt: false }],
    { butPr: 0 },
  ] satisfies CarAccessoryStatus;

  it("is number 2, with its types of boards and its actions", () => {
    expect([carAccessory.number, carAccessory.name]).toEqual([2, "car accessory"]);
    expect(CarAccessoryDeviceType).toEqual({ ARDUINO_OPTA: 1, ARDUINO_MEGA: 2, ARDUINO_UNO: 3, BUTTON: 4 });
    expect(OutputAction).toEqual({ SET_OFF: 0, SET_ON: 1, TOGGLE: 2 });
  });

  it("writes inputs, outputs and the button", async () => {
    const { sent } = await exchangeOver(carAccessory, status, utf8("null"));
    expect(Buffer.from(sent[0]!).toString()).toBe(
      '[[{"inNum":1,"inSt":false}],[{"outNum":1,"outErr":false,"outSt":false}],{"butPr":0}]',
    );
  });

  it("writes a board without outputs, as the real gateway's own button does but for the spaces", async () => {
    const { sent } = await exchangeOver(carAccessory, [[{ inNum: 1, inSt: false }], [], { butPr: 0 }], utf8("null"));
    const recorded =
      "5b5b7b22696e4e756d223a20312c2022696e5374223a2066616c73657d5d2c205b5d2c207b226275745072223a20307d5d";
    expect(hex(sent[0]!)).toBe(recorded.replaceAll("20", ""));
  });

  it("reads null: there is nothing to do", async () => {
    const { outcome } = await exchangeOver(carAccessory, status, fromHex("6e756c6c"));
    expect(outcome._unsafeUnwrap()).toBeNull();
  });

  it("reads what each output is to do", async () => {
    const command = '[{"outNum":1,"actType":1}, {"outNum":2,"actType":0},{"outNum":7,"actType":2}]';
    const { outcome } = await exchangeOver(carAccessory, status, utf8(command));
    expect(outcome._unsafeUnwrap()).toEqual([
      { outNum: 1, actType: OutputAction.SET_ON },
      { outNum: 2, actType: OutputAction.SET_OFF },
      { outNum: 7, actType: OutputAction.TOGGLE },
    ]);
  });

  it.each([
    ['[{"outNum":1,"actType":3}]', "$[0].actType"],
    ['[{"outNum":1,"actType":0},{"outNum":1.5,"actType":0}]', "$[1].outNum"],
    ['{"outNum":1,"actType":1}', "$"],
    ["[null]", "$[0]"],
  ])("does not read %s", async (command, path) => {
    await expectUnreadable(carAccessory, status, utf8(command), path);
  });

  it.each([
    [CarAccessoryDeviceType.ARDUINO_OPTA, 6, 4],
    [CarAccessoryDeviceType.ARDUINO_MEGA, 4, 4],
    [CarAccessoryDeviceType.ARDUINO_UNO, 6, 7],
    [CarAccessoryDeviceType.BUTTON, 1, 0],
  ])("of a board of type %d has at least %d inputs and %d outputs", async (deviceType, inputs, outputs) => {
    const enough: CarAccessoryStatus = [
      Array.from({ length: inputs }, (_, i) => ({ inNum: i + 1, inSt: false })),
      Array.from({ length: outputs }, (_, i) => ({ outNum: i + 1, outErr: false, outSt: false })),
      { butPr: 0 },
    ];
    expect((await exchangeOver(carAccessory, enough, utf8("null"), deviceType)).outcome._unsafeUnwrap()).toBeNull();
    const [allInputs, allOutputs, report] = enough;
    const tooFew: CarAccessoryStatus[] = [[allInputs.slice(1), allOutputs, report]];
    if (outputs > 0) tooFew.push([allInputs, allOutputs.slice(1), report]);
    for (const status of tooFew) {
      const { sent, outcome } = await exchangeOver(carAccessory, status, utf8("null"), deviceType);
      expect(outcome._unsafeUnwrapErr()).toMatchObject({ code: "NOT_OK", reason: "unwritable-status" });
      expect(sent).toEqual([]);
    }
  });

  it("does not write what is not a status of the module", async () => {
    await expectUnwritable(carAccessory, [[{ inNum: 1, inSt: 0 }], [], { butPr: 0 }], "$[0][0].inSt");
    await expectUnwritable(carAccessory, [[], [{ outNum: 1, outErr: false }], { butPr: 0 }], "$[1][0].outSt");
    await expectUnwritable(carAccessory, [[], []], "$[2]");
  });
});

describe("the transparent module", () => {
  it("is number 3", () => {
    expect([transparent.number, transparent.name]).toEqual([3, "transparent"]);
  });

  it.each([
    ["Status 0", "5374617475732030"],
    ["Stav žluťoučký", "5374617620c5be6c75c5a56f75c48d6bc3bd"],
    ["", ""],
  ])("writes %j as it is", async (status, bytes) => {
    const { sent } = await exchangeOver(transparent, status, utf8("go_left"));
    expect(sent.map(hex)).toEqual([bytes]);
  });

  it.each([
    ["2264656661756c745f636f6d6d616e6422", '"default_command"'],
    ["676f5f6c656674", "go_left"],
    ["", undefined],
  ])("reads the real gateway's command %s as it is", async (bytes, command) => {
    const { outcome } = await exchangeOver(transparent, "one", fromHex(bytes));
    expect(outcome._unsafeUnwrap()).toBe(command);
  });

  it("does not read bytes that are not text, nor write what is not text", async () => {
    await expectUnreadable(transparent, "one", fromHex("ff"), "$");
    await expectUnwritable(transparent, 7, "$");
  });
});

describe("the mission module", () => {
  const position = { latitude: 49.2, longitude: 16.6, altitude: 230 };
  const status = {
    state: AutonomyState.DRIVE,
    telemetry: { speed: 7.2, fuel: 0.62, position },
    nextStop: { name: "A", position },
  } satisfies MissionStatus;

  it("has its states and actions as the JSON has them", () => {
    expect([mission.number, mission.name]).toEqual([1, "mission"]);
    expect(Object.keys(AutonomyState)).toEqual(["IDLE", "DRIVE", "IN_STOP", "OBSTACLE", "ERROR"]);
    expect(Object.keys(AutonomyAction)).toEqual(["NO_ACTION", "STOP", "START"]);
  });

  it("writes its status in JSON", async () => {
    const { sent } = await exchangeOver(mission, status, utf8('{"action":"NO_ACTION","route":"","stops":[]}'), 1);
    expect(JSON.parse(Buffer.from(sent[0]!).toString())).toEqual(status);
  });

  it("reads the stops, the route and the action", async () => {
    const command =
      '{"action":"START","stops":[{"name":"A","position":{"latitude":1,"longitude":2,"altitude":3}}],"route":"r1"}';
    const { outcome } = await exchangeOver(mission, status, utf8(command), 1);
    expect(outcome._unsafeUnwrap()).toEqual({
      action: "START",
      stops: [{ name: "A", position: { latitude: 1, longitude: 2, altitude: 3 } }],
      route: "r1",
    });
  });

  it("takes a status without fuel, position and next stop", async () => {
    const { outcome } = await exchangeOver(
      mission,
      { state: "IDLE", telemetry: { speed: 0 }, nextStop: null },
      utf8('{"action":"STOP","route":"","stops":[]}'),
      1,
    );
    expect(outcome._unsafeUnwrap().action).toBe("STOP");
  });

  it("does not write what is not a status of the module", async () => {
    await expectUnwritable(mission, { ...status, state: "FLYING" }, "$.state");
    await expectUnwritable(mission, { ...status, telemetry: { speed: Infinity } }, "$.telemetry.speed");
    await expectUnwritable(mission, { state: "IDLE", telemetry: { speed: 0 } }, "$.nextStop");
  });
});

// Numbers of 8 bytes, the lowest first:
// 3.5 is 0000000000000c40, 0.5 is 000000000000e03f, 49.5 is 0000000000c04840, 16.25 is 0000000000403040, 256 is 0000000000007040.
describe("the mission module up to 1.2.13, in protobuf", () => {
  const position = { latitude: 49.5, longitude: 16.25, altitude: 256 };
  const positionBytes = "09" + "0000000000c04840" + "11" + "0000000000403040" + "19" + "0000000000007040";
  const telemetryBytes = `090000000000000c4011000000000000e03f1a1b${positionBytes}`;

  it("is number 1, with one type of device", () => {
    expect([missionProtobuf.number, missionProtobuf.name]).toEqual([1, "mission (protobuf)"]);
    expect(MissionDeviceType).toEqual({ AUTONOMY: 1 });
  });

  it("has the states and actions of its definition", () => {
    expect(former.AutonomyState).toMatchObject({ IDLE: 0, DRIVE: 1, IN_STOP: 2, OBSTACLE: 3, ERROR: 4 });
    expect(former.AutonomyAction).toMatchObject({ NO_ACTION: 0, STOP: 1, START: 2 });
  });

  it("writes telemetry, state and the next stop", async () => {
    const status = {
      telemetry: { speed: 3.5, fuel: 0.5, position },
      state: former.AutonomyState.DRIVE,
      nextStop: { name: "Stop A", position },
    };
    const { sent } = await exchangeOver(missionProtobuf, status, new Uint8Array(0));
    const stopBytes = `0a0653746f702041121b${positionBytes}`;
    expect(sent.map(hex)).toEqual([`0a2f${telemetryBytes}10011a25${stopBytes}`]);
  });

  it("writes a standing vehicle at latitude and longitude 0 as only empty messages", async () => {
    const status = {
      telemetry: { speed: 0, fuel: 0, position: { latitude: 0, longitude: 0, altitude: 0 } },
      state: former.AutonomyState.IDLE,
      nextStop: undefined,
    };
    const { sent } = await exchangeOver(missionProtobuf, status, new Uint8Array(0));
    expect(sent.map(hex)).toEqual(["0a021a00"]);
  });

  const idle = { telemetry: undefined, state: former.AutonomyState.IDLE, nextStop: undefined };

  it("reads the stops, the route and the action", async () => {
    const command = `0a0e0a014112091100000000000000c0` + `0a030a0142` + `12025231` + "1802";
    const { outcome } = await exchangeOver(missionProtobuf, idle, fromHex(command));
    expect(outcome._unsafeUnwrap()).toEqual({
      stops: [
        { name: "A", position: { latitude: 0, longitude: -2, altitude: 0 } },
        { name: "B", position: undefined },
      ],
      route: "R1",
      action: former.AutonomyAction.START,
    });
  });

  it("reads an empty command: no stop, no route, nothing to do", async () => {
    const { outcome } = await exchangeOver(missionProtobuf, idle, new Uint8Array(0));
    expect(outcome._unsafeUnwrap()).toEqual({ stops: [], route: "", action: former.AutonomyAction.NO_ACTION });
  });

  it.each([
    ["what is cut short", "12055231", "$"],
    ["an action that there is not", "1807", "$.action"],
  ])("does not read %s", async (_, command, path) => {
    await expectUnreadable(missionProtobuf, idle, fromHex(command), path);
  });

  it("does not write what is not a status of the module", async () => {
    await expectUnwritable(missionProtobuf, { ...idle, state: 9 }, "$.state");
    await expectUnwritable(
      missionProtobuf,
      { ...idle, telemetry: { speed: "fast", fuel: 0, position } },
      "$.telemetry.speed",
    );
    await expectUnwritable(missionProtobuf, "idle", "$");
  });
});
