import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { commandFrame, connectResponseFrame, frame, type FaultAt, type TestingGateway } from "../../lib/testing.js";
import { eventually } from "../support/eventually.js";
import { openGateway } from "../support/opened.js";
import { byNodeTimer, timed } from "../support/timed.js";
import { connectDevice, deliver, dial, dialUntilRead, hangUpAll, openDevice, type RawSocket } from "./raw-socket.js";
import {
  BUTTON,
  button,
  commandOf,
  CONNECT,
  CONNECTED,
  fromHex,
  payloadOf,
  refused,
  RENAMED,
  STATUS,
  statusOf,
} from "./wire.js";

let gateway: TestingGateway;

beforeEach(async () => {
  gateway = await openGateway();
});

afterEach(async () => {
  await hangUpAll();
  expect(gateway.errors).toEqual([]);
});

describe("faults at accept", () => {
  it("resets", async () => {
    gateway.misbehave("accept", { do: "reset", delayMs: 500 });
    expect(await (await dial(gateway)).ended).toBe("ECONNRESET");
  });

  it("sends bytes before the device has sent anything, then goes on as usual", async () => {
    gateway.misbehave("accept", { do: "send", bytes: new Uint8Array(4) });
    const socket = await dial(gateway);
    await socket.gets("00000000");
    await socket.exchanges(CONNECT, CONNECTED);
  });

  it("closes after a delay, and reads nothing until then", async () => {
    gateway.misbehave("accept", { do: "close", delayMs: 50 });
    const [socket, elapsedMs] = await timed(async () => {
      const dialled = await dial(gateway, CONNECT);
      expect(await dialled.ended).toBe("end");
      return dialled;
    });
    expect(elapsedMs).toBeGreaterThanOrEqual(byNodeTimer(50));
    expect(socket.chunks).toEqual([]);
    expect(gateway.received).toEqual([]);
    await connectDevice(gateway);
  });

  it("stays silent, but reads", async () => {
    gateway.misbehave("accept", { do: "stay silent" });
    const socket = await dialUntilRead(gateway, CONNECT);
    expect(await socket.listen(40)).toBe("");
    expect(gateway.received).toHaveLength(1);
    expect(gateway.openSockets).toBe(1);
    expect(gateway.devices).toEqual([]);
  });

  it("never reads", async () => {
    gateway.misbehave("accept", { do: "stop reading" });
    const socket = await dial(gateway, CONNECT);
    expect(await socket.listen(40)).toBe("");
    expect(gateway.received).toEqual([]);
    expect(gateway.kick()).toBe(1);
    expect(["end", "ECONNRESET"]).toContain(await socket.ended);
  });

  it("begins to read late", async () => {
    gateway.misbehave("accept", { do: "delay", ms: 500 });
    const socket = await dial(gateway, CONNECT);
    expect(await socket.listen(20)).toBe("");
    await socket.gets(CONNECTED);
  });
});

describe("faults in the reply to a connect", () => {
  it("pushes before the response", async () => {
    gateway.misbehave("connect", { do: "push first", command: fromHex("07") });
    await (await dial(gateway)).exchanges(CONNECT, commandOf(7) + CONNECTED);
  });

  it.each<[what: string, fault: FaultAt["connect"], got: string]>([
    ["refuses with 1 and closes", { do: "refuse", responseType: 1 }, refused(1)],
    ["refuses with 4 and closes", { do: "refuse", responseType: 4 }, refused(4)],
    ["closes", { do: "close" }, ""],
  ])("%s, and the slot is free at once", async (_what, fault, got) => {
    gateway.misbehave("connect", fault);
    const socket = await dial(gateway, CONNECT);
    expect(await socket.ended).toBe("end");
    expect(socket.chunks.join("")).toBe(got);
    await connectDevice(gateway);
  });

  it.each([2, 3, 5, 99])("refuses with %i, leaves the socket open and the slot taken", async (responseType) => {
    gateway.misbehave("connect", { do: "refuse", responseType });
    await (await dial(gateway)).exchanges(CONNECT, refused(responseType));
    expect(gateway.devices).toEqual([]);
    await (await dial(gateway)).exchanges(CONNECT, refused(1));
  });

  it("does not take the slot of another device for one that it refuses", async () => {
    const first = await connectDevice(gateway);
    gateway.misbehave("connect", { do: "refuse", responseType: 2 });
    await (await dial(gateway)).exchanges(CONNECT, refused(2));
    await first.exchanges(STATUS, STATUS);
  });

  it("stays silent, but the device counts as connected", async () => {
    gateway.misbehave("connect", { do: "stay silent" });
    const arrived = gateway.nextStatus();
    const socket = await dial(gateway, CONNECT + STATUS);
    await arrived;
    expect(await socket.listen(40)).toBe("");
    expect(gateway.devices).toEqual([button]);
  });
});

describe("faults in the reply to a status", () => {
  let socket: RawSocket;
  let readBefore: number;

  beforeEach(async () => {
    socket = await connectDevice(gateway);
    readBefore = socket.chunks.length;
  });

  const seven = fromHex("07");
  const renamed = payloadOf(RENAMED, "07");

  it.each<[what: string, fault: FaultAt["status"], got: string]>([
    ["sends given bytes instead", { do: "send", bytes: fromHex("02000000ffff") }, "02000000ffff"],
    ["pushes before the answer", { do: "push first", command: seven }, commandOf(7) + commandOf(1)],
    [
      "pushes instead of the answer, with another name",
      { do: "push instead", command: seven, deviceName: "b" },
      renamed,
    ],
    ["merges one push with another name", { do: "merge", with: seven, deviceName: "b" }, commandOf(1) + renamed],
  ])("%s, and answers the next status properly", async (_what, fault, got) => {
    gateway.misbehave("status", fault);
    await socket.exchanges(statusOf(1) + statusOf(2), got + commandOf(2));
  });

  const merge = { do: "merge", with: [fromHex("02"), fromHex("03")] } as const;
  const merged = commandOf(2) + commandOf(3);

  it.each<[what: string, fault: FaultAt["status"], chunks: string[]]>([
    ["drips byte by byte", { do: "drip" }, commandOf(1).match(/../g)!],
    ["lets the header come alone", { do: "delay", ms: 0, afterBytes: 4 }, ["19000000", commandOf(1).slice(8)]],
    ["merges pushes before the answer into its segment", { ...merge, order: "before" }, [merged + commandOf(1)]],
    ["merges pushes after the answer into its segment", { ...merge, order: "after" }, [commandOf(1) + merged]],
    ["merges pushes after the answer by default", merge, [commandOf(1) + merged]],
  ])("%s", async (_what, fault, chunks) => {
    gateway.misbehave("status", fault);
    await socket.exchanges(statusOf(1), chunks.join(""));
    expect(socket.chunks.slice(readBefore)).toEqual(chunks);
  });

  it("stays silent, reads on, and answers nothing on that socket any more", async () => {
    gateway.misbehave("status", { do: "stay silent" });
    socket.send(statusOf(1));
    socket.send(statusOf(2));
    await eventually(() => expect(gateway.statuses()).toEqual([fromHex("01"), fromHex("02")]));
    expect(await socket.listen(300)).toBe("");
    expect(gateway.push(fromHex("03"))).toBe(1);
    await socket.gets(commandOf(3));
  });

  it.each([1, 4, 28])("stays silent after %i bytes of the answer", async (afterBytes) => {
    gateway.misbehave("status", { do: "stay silent", afterBytes });
    await socket.exchanges(statusOf(1), commandOf(1).slice(0, 2 * afterBytes));
    expect(await socket.listen(30)).toBe("");
    expect(gateway.openSockets).toBe(1);
  });

  it.each([undefined, 0, 1, 4, 28, 1000])("closes after %s bytes of the answer", async (afterBytes) => {
    gateway.misbehave("status", { do: "close", afterBytes });
    socket.send(statusOf(1));
    expect(await socket.ended).toBe("end");
    expect(await socket.listen(0)).toBe(commandOf(1).slice(0, 2 * (afterBytes ?? 0)));
    await connectDevice(gateway);
  });

  it("resets after a part of the answer", async () => {
    // A reset discards what has not been read by then.
    gateway.misbehave("status", { do: "reset", afterBytes: 4, delayMs: 500 });
    socket.send(STATUS);
    expect(await socket.ended).toBe("ECONNRESET");
    expect(await socket.listen(0)).toBe(STATUS.slice(0, 8));
    await connectDevice(gateway);
  });

  it("drips in larger pieces over time, and a push waits for the end", async () => {
    gateway.misbehave("status", { do: "drip", bytes: 10, everyMs: 300 });
    socket.send(statusOf(1));
    await socket.read(1);
    gateway.push(fromHex("02"));
    await socket.gets(commandOf(1).slice(2) + commandOf(2));
    expect(socket.chunks.slice(readBefore, readBefore + 2).map(({ length }) => length)).toEqual([20, 20]);
  });

  it("stops dripping when the device disconnects", async () => {
    gateway.misbehave("status", { do: "drip", everyMs: 5 });
    socket.send(STATUS);
    await socket.read(1);
    socket.socket.destroy();
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it("answers late, even later than the module may", async () => {
    gateway.misbehave("status", { do: "delay", ms: 300 });
    socket.send(STATUS);
    expect(await socket.listen(270)).toBe("");
    await socket.gets(STATUS);
  });

  it("answers, then stops reading", async () => {
    gateway.misbehave("status", { do: "stop reading" });
    await socket.exchanges(statusOf(1), commandOf(1));
    socket.send(statusOf(2));
    expect(await socket.listen(40)).toBe("");
    expect(gateway.statuses()).toEqual([fromHex("01")]);
  });

  it("keeps the slot of a silently treated device taken until the module's time is over", async () => {
    ({ gateway, socket } = await openDevice({ moduleTimeoutMs: 60_000 }));
    gateway.misbehave("status", { do: "stay silent" });
    await deliver(gateway, socket, STATUS);
    socket.socket.end();
    await socket.ended;
    await (await dial(gateway)).exchanges(CONNECT, refused(1));
  });
});

describe("a device that has vanished behind a silent network", () => {
  it("is neither answered nor closed, and keeps its slot even after it has closed its end, until it is disconnected as silent", async () => {
    const { gateway, socket: ghost } = await openDevice({ silenceMs: 1_000 });
    gateway.misbehave("status", { do: "vanish" });
    await deliver(gateway, ghost, statusOf(1) + statusOf(2));
    gateway.push(fromHex("03"));
    expect(await ghost.listen(20)).toBe("");
    expect(gateway.statuses()).toEqual([fromHex("01")]);
    const gone = gateway.nextDisconnect();
    ghost.socket.destroy();
    await (await dial(gateway)).exchanges(CONNECT, refused(1));
    expect(await gone).toMatchObject({ connection: 1, by: "gateway" });
    await connectDevice(gateway);
  });

  it("gives way to a kick and to a restart", async () => {
    for (const free of [() => gateway.kick(), () => gateway.restart()]) {
      gateway.misbehave("connect", { do: "vanish" });
      const ghost = await dialUntilRead(gateway, CONNECT);
      ghost.socket.resetAndDestroy();
      await free();
      (await connectDevice(gateway)).socket.end();
      await gateway.nextDisconnect();
    }
  });
});

const LARGE = new Uint8Array(16 * 1024 * 1024);

describe("what a device does not read", () => {
  it("stops the gateway from reading its statuses", async () => {
    const socket = await connectDevice(gateway);
    gateway.misbehave("status", { do: "push first", command: LARGE });
    socket.socket.pause();
    await deliver(gateway, socket, statusOf(1));
    socket.send(statusOf(2));
    await sleep(50);
    expect(gateway.statuses()).toEqual([fromHex("01")]);
    const next = gateway.nextStatus();
    socket.socket.resume();
    expect((await next).status).toEqual(fromHex("02"));
  });

  it.each([
    // The system holds some of it too.
    ["while it does not read", false, [4, 5, 6]],
    ["while a reply goes out in pieces", true, [4]],
  ])("is stored up to 64 MiB, and then the connection is reset: %s", async (_when, isDripping, possible) => {
    const socket = await connectDevice(gateway);
    if (isDripping) {
      gateway.misbehave("status", { do: "drip", everyMs: 60_000 });
      socket.send(statusOf(1));
      await socket.read(1);
    } else {
      socket.socket.pause();
    }
    const gone = gateway.nextDisconnect();
    let pushes = 0;
    while (gateway.push(LARGE) === 1 && pushes < 10) pushes += 1;
    expect((await gone).by).toBe("gateway");
    expect(possible).toContain(pushes);
  });

  it("leaves nothing behind on the socket once it has been read", async () => {
    let socket: Socket | undefined;
    const remember = (message: unknown): void => void ({ socket } = message as { socket: Socket });
    subscribe("net.server.socket", remember);
    const device = await connectDevice(gateway);
    unsubscribe("net.server.socket", remember);
    const listeners = socket?.listenerCount("close");
    gateway.misbehave("status", { do: "push first", command: LARGE });
    device.send(STATUS);
    await device.read(LARGE.length);
    await eventually(() => expect(gateway.statuses()).toHaveLength(1));
    await eventually(() => expect(socket?.writableLength).toBe(0));
    expect(socket?.listenerCount("close")).toBe(listeners);
  });
});

it("at most 10,000 statuses wait for a module, and an error tells of those that were left out", async () => {
  const answer = () => new Promise<never>(() => undefined);
  const { gateway: busy, socket } = await openDevice({ answer, moduleTimeoutMs: 500 });
  busy.misbehave("status", { do: "stay silent" });
  const OTHER = BUTTON.replace("74657374", "6f746872");
  const other = await connectDevice(busy, OTHER);
  await deliver(busy, socket, statusOf(1));
  await eventually(() => expect(busy.planned).toBe(0));
  other.send(payloadOf(OTHER, "02"));
  await other.ended;
  // 32 bytes each, so that no header straddles a read of 1024.
  socket.send(`1c000000121a0a12${BUTTON}120401010101`.repeat(10_002));
  await eventually(() => expect(busy.errors.length).toBeGreaterThan(0));
  expect(String(busy.errors[0])).toContain("10000 statuses");
});

describe("plans", () => {
  it("come in the order given, as often as given, each at its point", async () => {
    gateway.misbehave("status", { do: "send", bytes: fromHex("aa") }, { times: 2 });
    gateway.misbehave("connect", { do: "send", bytes: fromHex("bb") });
    gateway.misbehave("status", { do: "send", bytes: fromHex("cc") });
    expect(gateway.planned).toBe(4);
    const statuses = [1, 2, 3, 4].map(statusOf).join("");
    await (await dial(gateway)).exchanges(CONNECT + statuses, `bbaaaacc${commandOf(4)}`);
    expect(gateway.planned).toBe(0);
  });

  it("carry the bytes at the call", async () => {
    const bytes = fromHex("aa");
    gateway.misbehave("status", { do: "send", bytes });
    gateway.misbehave("status", { do: "merge", with: [bytes] });
    bytes[0] = 9;
    const socket = await connectDevice(gateway);
    await socket.exchanges(statusOf(1) + statusOf(2), `aa${commandOf(2)}${commandOf(0xaa)}`);
  });

  it("come for ever with times: Infinity, until behave is called", async () => {
    gateway.misbehave("status", { do: "send", bytes: fromHex("aa") }, { times: Infinity });
    const socket = await connectDevice(gateway);
    await socket.exchanges(statusOf(1) + statusOf(2), "aaaa");
    expect(gateway.planned).toBe(Infinity);
    gateway.behave();
    await socket.exchanges(statusOf(3), commandOf(3));
  });

  it("come to matching devices only", async () => {
    gateway.misbehave("connect", { do: "close" }, { which: { deviceRole: "other" } });
    gateway.misbehave("status", { do: "send", bytes: fromHex("aa") }, { which: { module: 1000, priority: 0 } });
    await (await connectDevice(gateway)).exchanges(statusOf(1), "aa");
    expect(gateway.planned).toBe(1);
  });

  it("do not ask for an answer that the fault does not need", async () => {
    const answer = jest.fn((status: Uint8Array) => status);
    const { gateway, socket } = await openDevice({ answer });
    gateway.misbehave("status", { do: "push instead", command: fromHex("07") });
    gateway.misbehave("status", { do: "close" });
    socket.send(statusOf(1) + statusOf(2));
    await socket.ended;
    expect(answer).not.toHaveBeenCalled();
  });

  const close = { do: "close" };

  it.each<[args: [at: unknown, fault: unknown, options?: unknown], message: string]>([
    [
      ["status", { do: "refuse", responseType: 1 }],
      `do at "status" is 'refuse', but must be "stay silent" or "close" or`,
    ],
    [["accept", { do: "vanish" }], `fault.do at "accept" is 'vanish', but must be`],
    [["accept", { do: "drip" }], `fault.do at "accept" is 'drip', but must be`],
    [["accept", { do: "close", afterBytes: 1 }], "fault has no property 'afterBytes'. Its properties are do, delayMs."],
    [["accept", close, { which: {} }], 'argument which is {}, but must be left out at "accept"'],
    [["reply", close], 'at is \'reply\', but must be "accept" or "connect" or "status"'],
    [["status", undefined], "fault is undefined, but must be an object"],
    [["status", { do: "explode" }], "is 'explode', but must be"],
    [["status", { do: "toString" }], "is 'toString', but must be"],
    [["status", { do: "send" }], "fault.bytes is undefined, but must be a Uint8Array"],
    [["status", { do: "send", bytes: "00" }], "fault.bytes is '00', but must be a Uint8Array"],
    [["status", { do: "delay", ms: -1 }], "fault.ms is -1, but must be a whole number from 0 to 2147483647"],
    [["status", { do: "drip", bytes: 0 }], "fault.bytes is 0, but must be a whole number from 1 to 4294967295"],
    [["status", { do: "merge", with: [1] }], "fault.with[0] is 1, but must be a Uint8Array"],
    [["status", { do: "merge", with: 1 }], "fault.with is 1, but must be a Uint8Array"],
    [["status", { do: "merge", with: [], order: "both" }], 'fault.order is \'both\', but must be "before" or "after"'],
    [["connect", { do: "refuse", responseType: 0 }], "fault.responseType is 0, but must be a number other than 0"],
    [
      ["connect", { do: "refuse", responseType: 2 ** 31 }],
      "is 2147483648, but must be a whole number from -2147483648",
    ],
    [["status", close, { times: 0 }], ", but must be a whole number from 1 to 9007199254740991, or Inf"],
    [["status", close, { times: "2" }], "is '2', but must be"],
    [["status", close, { which: { role: "a" } }], "which has no property 'role'. Its properties are module, deviceT"],
  ])("are refused where they make no sense: %j", (args, message) => {
    expect(() => gateway.misbehave(...(args as Parameters<typeof gateway.misbehave>))).toThrow(message);
    expect(gateway.planned).toBe(0);
  });
});

it("builds frames byte for byte", () => {
  expect(frame(fromHex("0102"))).toEqual(fromHex("020000000102"));
  expect(frame(new Uint8Array(0))).toEqual(fromHex("00000000"));
  expect(connectResponseFrame(button, 2)).toEqual(fromHex(refused(2)));
  expect(commandFrame(button, fromHex("09"))).toEqual(fromHex(`1900000012170a12${BUTTON}120109`));
});
