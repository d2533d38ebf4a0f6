import { afterEach, describe, expect, it } from "@jest/globals";
import { err, ok, type Result } from "neverthrow";
import { missionProtobuf } from "../../lib/modules/mission-protobuf.js";
import type { Device } from "../../lib/testing.js";
import { openGateway } from "../support/opened.js";
import { connectDevice, dial, hangUpAll, openDevice } from "./raw-socket.js";
import { BUTTON, connectOf, fromHex, hexOf, payloadOf } from "./wire.js";

interface DoorStatus {
  readonly open: boolean;
}

interface DoorCommand {
  readonly lock: number;
}

interface Problem {
  readonly message: string;
}

/** A status is one byte, 0 or 1; a command is one byte, up to 9. */
const door = {
  name: "door",
  number: 1001,
  status: {
    decode: ([value]: Uint8Array, _device: Device): Result<DoorStatus, Problem> =>
      value === 0 || value === 1 ? ok({ open: value === 1 }) : err({ message: "neither 0 nor 1" }),
  },
  command: {
    decode: ([lock]: Uint8Array, _device: Device): Result<DoorCommand, Problem> =>
      lock !== undefined && lock < 10 ? ok({ lock }) : err({ message: "above 9" }),
    encode: ({ lock }: DoorCommand, _device: Device): Result<Uint8Array, Problem> =>
      lock < 10 ? ok(Uint8Array.of(lock)) : err({ message: "above 9" }),
  },
};

// Module 1001, role "a".
const DOOR = "08e9071a0161";

afterEach(hangUpAll);

/** A gateway, and a connected device whose statuses it answers. */
async function openAnswered(device: string, options: Parameters<typeof openGateway>[0]) {
  const { gateway, socket } = await openDevice(options, device);
  const answers = (status: string, command: string) =>
    socket.exchanges(payloadOf(device, status), payloadOf(device, command));
  return { gateway, socket, answers };
}

describe("a module by value", () => {
  it("answers with its own types, and its statuses are read", async () => {
    const answer = ({ open }: DoorStatus) => ({ lock: open ? 1 : 2 });
    const { gateway, socket } = await openDevice({ modules: [{ module: door, answer }] }, DOOR);
    await socket.exchanges(
      payloadOf(DOOR, "01") + payloadOf(DOOR, "00"),
      payloadOf(DOOR, "01") + payloadOf(DOOR, "02"),
    );
    const statuses: DoorStatus[] = gateway.statuses({ module: door });
    expect(statuses).toEqual([{ open: true }, { open: false }]);
    expect(gateway.statuses({ module: 1001 })).toEqual([fromHex("01"), fromHex("00")]);
  });

  it("types the statuses that are waited for, and those among the events", async () => {
    const gateway = await openGateway({ modules: [door, 1000], moduleTimeoutMs: 20 });
    const events = gateway.events({ module: door });
    const next = gateway.nextStatus({ module: door });
    await connectDevice(gateway);
    const socket = await connectDevice(gateway, DOOR);
    socket.send(payloadOf(DOOR, "01"));
    const status: DoorStatus = (await next).status;
    expect(status).toEqual({ open: true });
    expect(await events.next()).toMatchObject({ value: { kind: "connect", device: { module: 1001 } } });
    expect(await events.next()).toMatchObject({ value: { kind: "status", status: { open: true } } });
  });

  it("does not answer a status that its codec cannot read, and those who read statuses are told", async () => {
    const { gateway, socket } = await openAnswered(DOOR, { modules: [door], moduleTimeoutMs: 20 });
    const [next, events] = [gateway.nextStatus({ module: door }), gateway.events({ module: door })];
    socket.send(payloadOf(DOOR, "07"));
    expect(await socket.ended).toBe("end");
    const message = "rejects a status of door: neither 0 nor 1";
    expect(() => gateway.statuses({ module: door })).toThrow(message);
    await expect(next).rejects.toThrow(message);
    await expect(events.next()).rejects.toThrow(message);
    expect(gateway.errors).toEqual([]);
  });

  it("shows an answer that its codec rejects, and sends none", async () => {
    const modules = [{ module: door, answer: () => Promise.resolve({ lock: 10 }) }] as const;
    const { gateway, socket } = await openDevice({ modules, moduleTimeoutMs: 20 }, DOOR);
    socket.send(payloadOf(DOOR, "01"));
    expect(await socket.ended).toBe("end");
    expect(gateway.errors.map(String)).toEqual(["TypeError: the codec rejects a command of door: above 9"]);
  });

  it("takes commands from the cloud and pushes as its own", async () => {
    const { gateway, socket, answers } = await openAnswered(DOOR, { modules: [door] });
    await answers("01", "01");
    expect(gateway.command({ lock: 3 }, { module: door })).toBe(1);
    await answers("01", "03");
    expect(gateway.push({ lock: 4 }, { module: door, deviceRole: "a" })).toBe(1);
    await socket.gets(payloadOf(DOOR, "04"));
    expect(() => gateway.command({ lock: 10 }, { module: door })).toThrow("a command of door: above 9");
    expect(() => gateway.push({ lock: 10 }, { module: door })).toThrow("a command of door: above 9");
    // @ts-expect-error The types know that too.
    expect(() => gateway.command(fromHex("01"), { module: door })).toThrow();
  });

  it("is served beside numbers, each for its device types", async () => {
    const { gateway, answers } = await openAnswered("08d2091a0161", {
      modules: [{ module: door, deviceTypes: [1] }, 1234],
    });
    await answers("aa", "aa");
    // Response type 3.
    await (await dial(gateway)).exchanges(connectOf(DOOR), `0c0000000a0a08031206${DOOR}`);
    await connectDevice(gateway, "08e90710011a0161");
  });

  it("uses the gateway's answer, in bytes, if it has none of its own", async () => {
    const { gateway, answers } = await openAnswered(DOOR, { modules: [door, 1000], answer: () => fromHex("09") });
    await answers("01", "09");
    await (await connectDevice(gateway)).exchanges(payloadOf(BUTTON, "01"), payloadOf(BUTTON, "09"));
  });

  it("that asks for pushes may answer a status all the same", async () => {
    const answer = ({ open }: DoorStatus) => (open ? { lock: 5 } : undefined);
    const { socket } = await openDevice({ modules: [{ module: door, pushes: true, answer }] }, DOOR);
    await socket.exchanges(payloadOf(DOOR, "01") + payloadOf(DOOR, "00"), payloadOf(DOOR, "05") + payloadOf(DOOR, ""));
  });

  it("with the number of a known module is not mistaken for that", async () => {
    const { answers } = await openAnswered("08021a0161", { modules: [{ ...door, number: 2 }] });
    await answers("01", "01");
  });
});

// What a known module says is recorded (recordings.spec.ts); here is what it says to the rest.

it("the real example module answers as it does, whatever the cloud says", async () => {
  const { gateway, answers } = await openAnswered(BUTTON, { modules: [1000] });
  const [pressed, dark] = [hexOf('{"pressed": true}'), hexOf('{"lit_up": false}')];
  await answers(pressed, dark);
  expect(gateway.command(Buffer.from('{"lit_up": true}'))).toBe(1);
  expect(gateway.command(Buffer.from('{"lit_up":true}'))).toBe(0);
  await answers(pressed, dark);
});

// Module 1, type 1, role "a".
const DRIVING = "080110011a0161";
const IDLE = '{"state":"IDLE","telemetry":{"speed":0},"nextStop":null}';
const STOPPED = '{"state":"IN_STOP","telemetry":{"speed":0},"nextStop":{"y":2,"x":1.0}}';
const PUSHED = '[[{"inNum":1,"inSt":true}],null,{"butPr":1}]';

it("the real mission module removes the stop that the device is in, and writes the command again", async () => {
  const { gateway, answers } = await openAnswered(DRIVING, { modules: [1] });
  await answers(hexOf(IDLE), hexOf('{"action":"NO_ACTION","route":"","stops":[]}'));
  const command = '{ "stops": [{"x":1,"y":2},{"x":3}], "route": "ř", "action": "START" }';
  expect(gateway.command(Buffer.from(command))).toBe(1);
  await answers(hexOf(IDLE), hexOf('{"stops":[{"x":1,"y":2},{"x":3}],"route":"ř","action":"START"}'));
  const rest = hexOf('{"stops":[{"x":3}],"route":"ř","action":"START"}');
  await answers(hexOf(STOPPED), rest);
  await answers(hexOf(STOPPED), rest);
});

it("the real mission module up to 1.2.13, served by value, drops a stop that is reached", async () => {
  const { gateway, answers } = await openAnswered(DRIVING, { modules: [missionProtobuf] });
  // Response type 3.
  await (await dial(gateway)).exchanges(connectOf("08011a0161"), "0b0000000a090803120508011a0161");
  // At a speed of 2.5.
  const drive = "0a090900000000000004401001";
  await answers(drive, "");
  // START, stops A and B.
  expect(gateway.command(fromHex("0a030a01410a030a01421802"))).toBe(1);
  await answers(drive, "0a030a01410a030a01421802");
  const inStopA = "10021a030a0141";
  await answers(inStopA, "0a030a01421802");
  await answers(drive, "0a030a01421802");
});

describe("a real module", () => {
  // The button of the I/O module: module 2, type 4, role "a", with 1 input and no output.
  const PUSH_BUTTON = "080210041a0161";

  it.each([
    [BUTTON, 1000, '{"pressed": true'],
    [BUTTON, 1000, ""],
    [DRIVING, 1, "x"],
    [DRIVING, 1, "[]"],
    [DRIVING, 1, '{"state":"idle","telemetry":{"speed":0},"nextStop":null}'],
    [DRIVING, 1, '{"state":"IDLE","telemetry":{},"nextStop":null}'],
    [DRIVING, 1, '{"state":"IDLE","telemetry":[],"nextStop":null}'],
    [PUSH_BUTTON, 2, '[[{"inNum":1,"inSt":0}],[],{"butPr":0}]'],
    [PUSH_BUTTON, 2, '[[],[],{"butPr":0}]'],
    [PUSH_BUTTON, 2, '[[{"inNum":"1","inSt":false}],[],{"butPr":0}]'],
    [PUSH_BUTTON, 2, '[[{"inNum":1,"inSt":false}],[],{}]'],
    [PUSH_BUTTON, 2, "{}"],
    [PUSH_BUTTON, 2, "x"],
  ])("of the device %s, module %i, considers the status %j invalid", async (device, module, status) => {
    const { socket } = await openDevice({ modules: [module], moduleTimeoutMs: 20 }, device);
    socket.send(payloadOf(device, hexOf(status)));
    expect(await socket.ended).toBe("end");
  });

  it.each([
    ["the mission module", DRIVING, 1, IDLE, '{"stops":[],"action":"STOP","route":""}', 1],
    ["the mission module", DRIVING, 1, IDLE, "x", 0],
    ["the mission module", DRIVING, 1, IDLE, '{"stops":[],"action":"STOP"}', 0],
    ["the mission module", DRIVING, 1, IDLE, '{"stops":{},"action":"STOP","route":""}', 0],
    ["the mission module", DRIVING, 1, IDLE, '{"stops":[],"action":"GO","route":""}', 0],
    ["the I/O module", PUSH_BUTTON, 2, PUSHED, '[{"outNum":1,"actType":3}]', 1],
    ["the I/O module", PUSH_BUTTON, 2, PUSHED, "null", 1],
    ["the I/O module", PUSH_BUTTON, 2, PUSHED, "{}", 1],
    ["the I/O module", PUSH_BUTTON, 2, PUSHED, '{"a":1}', 0],
    ["the I/O module", PUSH_BUTTON, 2, PUSHED, "7", 0],
    ["the I/O module", PUSH_BUTTON, 2, PUSHED, '[{"outNum":1}]', 0],
    ["the I/O module", PUSH_BUTTON, 2, PUSHED, "x", 0],
  ])("takes only the commands that it considers valid: %s", async (...row) => {
    const [, device, module, status, command, count] = row;
    const { gateway, socket } = await openDevice({ modules: [module] }, device);
    socket.send(payloadOf(device, hexOf(status)));
    await socket.read(1);
    expect(gateway.command(Buffer.from(command))).toBe(count);
  });
});
