import { afterEach, describe, expect, it } from "@jest/globals";
import { err, ok, type Result } from "neverthrow";
import { missionProtobuf } from "../../lib/modules/mission-protobuf.js";
import { startGateway, type Device, type TestingGateway } from "../../lib/testing.js";
import { dial, hangUpAll, type RawSocket } from "./raw-socket.js";
import { BUTTON, commandOf, CONNECT, connectButton, connectOf, fromHex, hexOf, payloadOf, statusOf } from "./wire.js";

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

let gateway: TestingGateway;

afterEach(async () => {
  hangUpAll();
  await gateway.stop();
});

async function connected(device: string): Promise<RawSocket> {
  const socket = await dial(gateway);
  socket.send(connectOf(device));
  await socket.read(connectOf(device).length / 2);
  return socket;
}

async function expectAnswer(socket: RawSocket, device: string, status: string, command: string): Promise<void> {
  socket.send(payloadOf(device, status));
  expect(await socket.read(payloadOf(device, command).length / 2)).toBe(payloadOf(device, command));
}

describe("a module by value", () => {
  it("answers with its own types, and its statuses are read", async () => {
    const asked: DoorStatus[] = [];
    gateway = await startGateway({
      modules: [
        {
          module: door,
          answer: (status) => {
            asked.push(status);
            return { lock: status.open ? 1 : 2 };
          },
        },
      ],
    });
    const socket = await connected(DOOR);
    await expectAnswer(socket, DOOR, "01", "01");
    await expectAnswer(socket, DOOR, "00", "02");
    expect(asked).toEqual([{ open: true }, { open: false }]);
    const statuses: DoorStatus[] = gateway.statuses({ module: door });
    expect(statuses).toEqual([{ open: true }, { open: false }]);
    expect(gateway.statuses({ module: 1001 })).toEqual([fromHex("01"), fromHex("00")]);
  });

  it("types the statuses that are waited for, and those among the events", async () => {
    gateway = await startGateway({ modules: [door, 1000], moduleTimeoutMs: 20 });
    const events = gateway.events({ module: door });
    const next = gateway.nextStatus({ module: door });
    const button = await dial(gateway);
    await connectButton(button);
    const socket = await connected(DOOR);
    socket.send(payloadOf(DOOR, "01"));
    const status: DoorStatus = (await next).status;
    expect(status).toEqual({ open: true });
    const unreadable = gateway.nextStatus({ module: door });
    socket.send(payloadOf(DOOR, "07"));
    await expect(unreadable).rejects.toThrow("rejects a status of door: neither 0 nor 1");

    expect(await events.next()).toMatchObject({ value: { kind: "connect", device: { module: 1001 } } });
    const event = await events.next();
    expect(event.value).toMatchObject({ kind: "status", status: { open: true } });
    await expect(events.next()).rejects.toThrow("neither 0 nor 1");
  });

  it("does not answer a status that its codec cannot read, and `statuses` says so", async () => {
    gateway = await startGateway({ modules: [door], moduleTimeoutMs: 20 });
    const socket = await connected(DOOR);
    socket.send(payloadOf(DOOR, "07"));
    expect(await socket.ended).toBe("end");
    expect(() => gateway.statuses({ module: door })).toThrow("rejects a status of door: neither 0 nor 1");
    expect(gateway.errors).toEqual([]);
  });

  it("shows an answer that its codec rejects, and sends none", async () => {
    gateway = await startGateway({
      modules: [{ module: door, answer: () => Promise.resolve({ lock: 10 }) }],
      moduleTimeoutMs: 20,
    });
    const socket = await connected(DOOR);
    socket.send(payloadOf(DOOR, "01"));
    expect(await socket.ended).toBe("end");
    expect(gateway.errors.map(String)).toEqual(["TypeError: the codec rejects a command of door: above 9"]);
  });

  it("takes commands from the cloud and pushes as its own", async () => {
    gateway = await startGateway({ modules: [{ module: door, answer: () => ({ lock: 0 }) }] });
    const socket = await connected(DOOR);
    await expectAnswer(socket, DOOR, "01", "00");
    expect(gateway.command({ lock: 3 }, { module: door })).toBe(1);
    await expectAnswer(socket, DOOR, "01", "03");
    expect(gateway.push({ lock: 4 }, { module: door, deviceRole: "a" })).toBe(1);
    expect(await socket.read(payloadOf(DOOR, "04").length / 2)).toBe(payloadOf(DOOR, "04"));
    expect(() => gateway.command({ lock: 10 }, { module: door })).toThrow("a command of door: above 9");
    expect(() => gateway.push({ lock: 10 }, { module: door })).toThrow("a command of door: above 9");
    // @ts-expect-error The types know that too.
    expect(() => gateway.command(fromHex("01"), { module: door })).toThrow();
  });

  it("is served beside numbers, each for its device types", async () => {
    gateway = await startGateway({ modules: [{ module: door, deviceTypes: [1] }, 1234] });
    const refused = await dial(gateway);
    refused.send(connectOf(DOOR));
    // Response type 3.
    expect(await refused.read(16)).toBe(`0c0000000a0a08031206${DOOR}`);
    const echo = await connected("08d2091a0161");
    await expectAnswer(echo, "08d2091a0161", "aa", "aa");
  });

  it("uses the gateway's answer, in bytes, if it has none of its own", async () => {
    gateway = await startGateway({ modules: [door, 1000], answer: () => fromHex("09") });
    await expectAnswer(await connected(DOOR), DOOR, "01", "09");
    const button = await dial(gateway);
    button.send(CONNECT + statusOf(1));
    await button.read(26);
    expect(await button.read(29)).toBe(commandOf(9));
  });

  it("that asks for pushes may answer a status all the same", async () => {
    gateway = await startGateway({
      modules: [{ module: door, pushes: true, answer: ({ open }) => (open ? { lock: 5 } : undefined) }],
    });
    const socket = await connected(DOOR);
    await expectAnswer(socket, DOOR, "01", "05");
    await expectAnswer(socket, DOOR, "00", "");
  });
});

describe("the real example module", () => {
  const LIT = hexOf('{"lit_up": true}');
  const DARK = hexOf('{"lit_up": false}');

  it.each([
    ['{"pressed": true}', DARK],
    ['{"pressed": false}', LIT],
  ])("answers %s byte for byte, whatever the cloud says", async (status, command) => {
    gateway = await startGateway({ modules: [1000] });
    const socket = await dial(gateway);
    await connectButton(socket);
    await expectAnswer(socket, BUTTON, hexOf(status), command);
    expect(gateway.command(fromHex(LIT))).toBe(1);
    expect(gateway.command(fromHex(hexOf('{"lit_up":true}')))).toBe(0);
    await expectAnswer(socket, BUTTON, hexOf(status), command);
  });

  it.each(['{"pressed":true}', '{"pressed": true', ""])("considers %j invalid", async (status) => {
    gateway = await startGateway({ modules: [1000], moduleTimeoutMs: 20 });
    const socket = await dial(gateway);
    await connectButton(socket);
    socket.send(payloadOf(BUTTON, hexOf(status)));
    expect(await socket.ended).toBe("end");
  });
});

describe("the real mission module", () => {
  const DRIVING = "080110011a0161";
  const IDLE = '{"state":"IDLE","telemetry":{"speed":0},"nextStop":null}';
  const STOPPED = '{"state":"IN_STOP","telemetry":{"speed":0},"nextStop":{"y":2,"x":1.0}}';

  it("removes a stop from its list when the device is in it, and writes the command again", async () => {
    gateway = await startGateway({ modules: [1] });
    const socket = await connected(DRIVING);
    await expectAnswer(socket, DRIVING, hexOf(IDLE), hexOf('{"action":"NO_ACTION","route":"","stops":[]}'));
    const command = '{ "stops": [{"x":1,"y":2},{"x":3}], "route": "ř", "action": "START" }';
    expect(gateway.command(Buffer.from(command))).toBe(1);
    const all = '{"stops":[{"x":1,"y":2},{"x":3}],"route":"ř","action":"START"}';
    await expectAnswer(socket, DRIVING, hexOf(IDLE), hexOf(all));
    const rest = hexOf('{"stops":[{"x":3}],"route":"ř","action":"START"}');
    await expectAnswer(socket, DRIVING, hexOf(STOPPED), rest);
    await expectAnswer(socket, DRIVING, hexOf(STOPPED), rest);
  });

  it.each([
    "x",
    "[]",
    '{"state":"IDLE","telemetry":{"speed":0}}',
    '{"state":"idle","telemetry":{"speed":0},"nextStop":null}',
    '{"state":"IDLE","telemetry":{},"nextStop":null}',
    '{"state":"IDLE","telemetry":[],"nextStop":null}',
  ])("considers the status %s invalid", async (status) => {
    gateway = await startGateway({ modules: [1], moduleTimeoutMs: 20 });
    const socket = await connected(DRIVING);
    socket.send(payloadOf(DRIVING, hexOf(status)));
    expect(await socket.ended).toBe("end");
  });

  it.each([
    ["x", 0],
    ['{"stops":[],"action":"STOP"}', 0],
    ['{"stops":{},"action":"STOP","route":""}', 0],
    ['{"stops":[],"action":"GO","route":""}', 0],
    ['{"stops":[],"action":"STOP","route":""}', 1],
  ])("takes the command %s for %i devices", async (command, count) => {
    gateway = await startGateway({ modules: [1] });
    const socket = await connected(DRIVING);
    socket.send(payloadOf(DRIVING, hexOf(IDLE)));
    await socket.read(1);
    expect(gateway.command(Buffer.from(command))).toBe(count);
  });
});

describe("the real mission module up to 1.2.13, served by its value", () => {
  const DRIVING = "080110011a0161";
  // At a speed of 2.5.
  const DRIVE = "0a090900000000000004401001";
  const IN_STOP_A = "10021a030a0141";
  // START, stops A and B.
  const COMMAND = "0a030a01410a030a01421802";

  it("answers in protobuf: with nothing at first, then with the command, of which it drops the stop that is reached", async () => {
    gateway = await startGateway({ modules: [missionProtobuf] });
    const refused = await dial(gateway);
    refused.send(connectOf("08011a0161"));
    // Response type 3.
    expect(await refused.read(15)).toBe("0b0000000a090803120508011a0161");
    const socket = await connected(DRIVING);
    await expectAnswer(socket, DRIVING, DRIVE, "");
    expect(gateway.command(fromHex(COMMAND))).toBe(1);
    await expectAnswer(socket, DRIVING, DRIVE, COMMAND);
    await expectAnswer(socket, DRIVING, IN_STOP_A, "0a030a01421802");
    await expectAnswer(socket, DRIVING, DRIVE, "0a030a01421802");
  });
});

it("a module of your own with a known number is not mistaken for the known one", async () => {
  gateway = await startGateway({ modules: [{ ...door, number: 2 }] });
  const socket = await connected("08021a0161");
  await expectAnswer(socket, "08021a0161", "01", "01");
});

describe("the real I/O module", () => {
  // Module 2, type 4, role "a": 1 input and no output.
  const PUSH_BUTTON = "080210041a0161";

  it.each([
    '[[{"inNum":1,"inSt":0}],[],{"butPr":0}]',
    '[[],[],{"butPr":0}]',
    '[[{"inNum":"1","inSt":false}],[],{"butPr":0}]',
    '[[{"inNum":1,"inSt":false}],[],{}]',
    "{}",
    "x",
  ])("considers the button's status %s invalid", async (status) => {
    gateway = await startGateway({ modules: [2], moduleTimeoutMs: 20 });
    const socket = await connected(PUSH_BUTTON);
    socket.send(payloadOf(PUSH_BUTTON, hexOf(status)));
    expect(await socket.ended).toBe("end");
  });

  it.each([
    ['[{"outNum":1,"actType":3}]', 1],
    ["null", 1],
    ["{}", 1],
    ['{"a":1}', 0],
    ["7", 0],
    ['[{"outNum":1}]', 0],
    ["x", 0],
  ])("takes the command %s for %i devices", async (command, count) => {
    gateway = await startGateway({ modules: [2] });
    const socket = await connected(PUSH_BUTTON);
    await expectAnswer(socket, PUSH_BUTTON, hexOf('[[{"inNum":1,"inSt":true}],null,{"butPr":1}]'), hexOf("null"));
    expect(gateway.command(Buffer.from(command))).toBe(count);
  });
});
