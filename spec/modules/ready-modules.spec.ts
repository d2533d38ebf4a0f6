import { afterEach, describe, expect, it } from "@jest/globals";
import type { Module } from "../../lib/index.js";
import { carAccessory, CarAccessoryDeviceType, OutputAction } from "../../lib/modules/car-accessory.js";
import { example, ExampleDeviceType } from "../../lib/modules/example.js";
import { AutonomyAction, AutonomyState, mission, MissionDeviceType } from "../../lib/modules/mission.js";
import { transparent } from "../../lib/modules/transparent.js";
import { fromHex, hex, utf8 } from "../support/bytes.js";
import { endAll, keep, openGateway } from "../support/opened.js";

afterEach(endAll);

/** Has a device of the module send the status, and the gateway answer with those bytes. */
async function exchangeOver<Status, Command>(module: Module<Status, Command>, status: Status, answer: Uint8Array) {
  const gateway = await openGateway({ answer: () => answer });
  const device = { deviceType: 0, deviceRole: "test", deviceName: "device1" };
  const client = keep((await module.connect({ host: gateway.host, port: gateway.port, device }))._unsafeUnwrap());
  const outcome = await module.exchange(client, status);
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
  it("is number 1000, with two types of buttons", () => {
    expect([example.number, example.name]).toEqual([1000, "example"]);
    expect(ExampleDeviceType).toEqual({ BUTTON: 0, OTHER_BUTTON: 10 });
  });

  it.each([
    [true, "7b2270726573736564223a747275657d"],
    [false, "7b2270726573736564223a66616c73657d"],
  ])("writes that the button is pressed: %p", async (pressed, bytes) => {
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

  it("does not write what is no status of it", async () => {
    await expectUnwritable(example, { pressed: "yes" }, "$.pressed");
    await expectUnwritable(example, null, "$");
  });
});

describe("the car accessory module", () => {
  const status = [
    [{ inNum: 1, inSt: false }],
    [{ outNum: 1, outErr: false, outSt: false }],
    { butPr: 0 },
  ] satisfies Parameters<typeof carAccessory.exchange>[1];

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

  it("does not write what is no status of it", async () => {
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
    ["", ""],
  ])("reads the real gateway's command %s as it is", async (bytes, command) => {
    const { outcome } = await exchangeOver(transparent, "one", fromHex(bytes));
    expect(outcome._unsafeUnwrap()).toBe(command);
  });

  it("does not read bytes that are no text, nor write what is none", async () => {
    await expectUnreadable(transparent, "one", fromHex("ff"), "$");
    await expectUnwritable(transparent, 7, "$");
  });
});

// Numbers of 8 bytes, the lowest first:
// 3.5 is 0000000000000c40, 0.5 is 000000000000e03f, 49.5 is 0000000000c04840, 16.25 is 0000000000403040, 256 is 0000000000007040.
describe("the mission module", () => {
  const position = { latitude: 49.5, longitude: 16.25, altitude: 256 };
  const positionBytes = "09" + "0000000000c04840" + "11" + "0000000000403040" + "19" + "0000000000007040";
  const telemetryBytes = `090000000000000c4011000000000000e03f1a1b${positionBytes}`;

  it("is number 1, with one type of device", () => {
    expect([mission.number, mission.name]).toEqual([1, "mission"]);
    expect(MissionDeviceType).toEqual({ AUTONOMY: 0 });
  });

  it("has the states and actions of its definition", () => {
    expect(AutonomyState).toMatchObject({ IDLE: 0, DRIVE: 1, IN_STOP: 2, OBSTACLE: 3, ERROR: 4 });
    expect(AutonomyAction).toMatchObject({ NO_ACTION: 0, STOP: 1, START: 2 });
  });

  it("writes telemetry, state and the next stop", async () => {
    const status = {
      telemetry: { speed: 3.5, fuel: 0.5, position },
      state: AutonomyState.DRIVE,
      nextStop: { name: "Stop A", position },
    };
    const { sent } = await exchangeOver(mission, status, new Uint8Array(0));
    const stopBytes = `0a0653746f702041121b${positionBytes}`;
    expect(sent.map(hex)).toEqual([`0a2f${telemetryBytes}10011a25${stopBytes}`]);
  });

  it("writes a vehicle that stands still at the middle of the map as nothing but empty messages", async () => {
    const status = {
      telemetry: { speed: 0, fuel: 0, position: { latitude: 0, longitude: 0, altitude: 0 } },
      state: AutonomyState.IDLE,
      nextStop: undefined,
    };
    const { sent } = await exchangeOver(mission, status, new Uint8Array(0));
    expect(sent.map(hex)).toEqual(["0a021a00"]);
  });

  const idle = { telemetry: undefined, state: AutonomyState.IDLE, nextStop: undefined };

  it("reads the stops, the route and the action", async () => {
    const command = `0a0e0a014112091100000000000000c0` + `0a030a0142` + `12025231` + "1802";
    const { outcome } = await exchangeOver(mission, idle, fromHex(command));
    expect(outcome._unsafeUnwrap()).toEqual({
      stops: [
        { name: "A", position: { latitude: 0, longitude: -2, altitude: 0 } },
        { name: "B", position: undefined },
      ],
      route: "R1",
      action: AutonomyAction.START,
    });
  });

  it("reads an empty command: no stop, no route, nothing to do", async () => {
    const { outcome } = await exchangeOver(mission, idle, new Uint8Array(0));
    expect(outcome._unsafeUnwrap()).toEqual({ stops: [], route: "", action: AutonomyAction.NO_ACTION });
  });

  it.each([
    ["what is cut short", "12055231", "$"],
    ["an action that there is not", "1807", "$.action"],
  ])("does not read %s", async (_, command, path) => {
    await expectUnreadable(mission, idle, fromHex(command), path);
  });

  it("does not write what is no status of it", async () => {
    await expectUnwritable(mission, { ...idle, state: 9 }, "$.state");
    await expectUnwritable(mission, { ...idle, telemetry: { speed: "fast", fuel: 0, position } }, "$.telemetry.speed");
    await expectUnwritable(mission, { ...idle, telemetry: { speed: 1, fuel: 1.5, position } }, "$.telemetry.fuel");
    await expectUnwritable(mission, "idle", "$");
  });
});
