import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { commandFrame, connectResponseFrame, frame, startGateway, type TestingGateway } from "../../lib/testing.js";
import { dial, hangUpAll, type RawSocket } from "./raw-socket.js";
import {
  BUTTON,
  button,
  commandOf,
  CONNECT,
  connectButton,
  CONNECTED,
  fromHex,
  refused,
  renamedCommandOf,
  STATUS,
  statusOf,
} from "./wire.js";
import { eventually } from "../support/eventually.js";
import { byNodeTimer, timed } from "../support/timed.js";

let gateway: TestingGateway;

beforeEach(async () => {
  gateway = await startGateway();
});

afterEach(async () => {
  hangUpAll();
  await gateway.stop();
  expect(gateway.errors).toEqual([]);
});

async function connectedButton(): Promise<RawSocket> {
  const socket = await dial(gateway);
  await connectButton(socket);
  return socket;
}

describe("faults at accept", () => {
  it("closes", async () => {
    gateway.misbehave("accept", { do: "close" });
    const socket = await dial(gateway);
    expect(await socket.ended).toBe("end");
    await connectedButton();
  });

  it("closes after a delay, and reads nothing until then", async () => {
    gateway.misbehave("accept", { do: "close", delayMs: 50 });
    const [socket, elapsedMs] = await timed(async () => {
      const dialled = await dial(gateway);
      dialled.send(CONNECT);
      await dialled.ended;
      return dialled;
    });
    expect(elapsedMs).toBeGreaterThanOrEqual(byNodeTimer(50));
    expect(socket.chunks).toEqual([]);
  });

  it("resets", async () => {
    gateway.misbehave("accept", { do: "reset", delayMs: 500 });
    const socket = await dial(gateway);
    expect(await socket.ended).toBe("ECONNRESET");
  });

  it("stays silent, but reads", async () => {
    gateway.misbehave("accept", { do: "stay silent" });
    const socket = await dial(gateway);
    const arrived = gateway.nextConnect();
    socket.send(CONNECT);
    await arrived;
    expect(await socket.listen(40)).toBe("");
    expect(gateway.received).toHaveLength(1);
    expect(gateway.openSockets).toBe(1);
    expect(gateway.devices).toEqual([]);
  });

  it("sends bytes before the device has sent anything, then goes on as usual", async () => {
    gateway.misbehave("accept", { do: "send", bytes: fromHex("00000000") });
    const socket = await dial(gateway);
    expect(await socket.read(4)).toBe("00000000");
    await connectButton(socket);
  });

  it("never reads", async () => {
    gateway.misbehave("accept", { do: "stop reading" });
    const socket = await dial(gateway);
    socket.send(CONNECT);
    expect(await socket.listen(40)).toBe("");
    expect(gateway.received).toEqual([]);
    expect(gateway.kick()).toBe(1);
    expect(["end", "ECONNRESET"]).toContain(await socket.ended);
  });

  it("begins to read late", async () => {
    gateway.misbehave("accept", { do: "delay", ms: 500 });
    const socket = await dial(gateway);
    socket.send(CONNECT);
    expect(await socket.listen(20)).toBe("");
    expect(await socket.read(26)).toBe(CONNECTED);
  });
});

describe("faults in the reply to a connect", () => {
  it.each([1, 4])("refuses with %i and closes", async (responseType) => {
    gateway.misbehave("connect", { do: "refuse", responseType });
    const socket = await dial(gateway);
    socket.send(CONNECT);
    expect(await socket.read(28)).toBe(refused(responseType));
    expect(await socket.ended).toBe("end");
    await connectedButton();
  });

  it.each([2, 3, 5, 99])("refuses with %i, leaves the socket open and the slot taken", async (responseType) => {
    gateway.misbehave("connect", { do: "refuse", responseType });
    const socket = await dial(gateway);
    socket.send(CONNECT);
    expect(await socket.read(28)).toBe(refused(responseType));
    expect(gateway.devices).toEqual([]);
    const again = await dial(gateway);
    again.send(CONNECT);
    expect(await again.read(28)).toBe(refused(1));
  });

  it("does not take the slot of another device for one that it refuses", async () => {
    const first = await connectedButton();
    gateway.misbehave("connect", { do: "refuse", responseType: 2 });
    const second = await dial(gateway);
    second.send(CONNECT);
    expect(await second.read(28)).toBe(refused(2));
    first.send(STATUS);
    expect(await first.read(45)).toBe(STATUS);
  });

  it("pushes before the response", async () => {
    gateway.misbehave("connect", { do: "push first", command: fromHex("07") });
    const socket = await dial(gateway);
    socket.send(CONNECT);
    expect(await socket.read(29 + 26)).toBe(commandOf(7) + CONNECTED);
  });

  it("sends another's response", async () => {
    const bytes = connectResponseFrame({ ...button, deviceName: "b" }, 0);
    gateway.misbehave("connect", { do: "send", bytes });
    const socket = await dial(gateway);
    socket.send(CONNECT);
    expect(await socket.read(20)).toBe("100000000a0e120c08e8071a0474657374220162");
  });

  it("stays silent, but the device counts as connected", async () => {
    gateway.misbehave("connect", { do: "stay silent" });
    const socket = await dial(gateway);
    const arrived = gateway.nextStatus();
    socket.send(CONNECT + STATUS);
    await arrived;
    expect(await socket.listen(40)).toBe("");
    expect(gateway.devices).toEqual([button]);
  });

  it("closes, and the slot is free at once", async () => {
    gateway.misbehave("connect", { do: "close" });
    const socket = await dial(gateway);
    socket.send(CONNECT);
    expect(await socket.ended).toBe("end");
    expect(socket.chunks).toEqual([]);
    await connectedButton();
  });
});

describe("faults in the reply to a status", () => {
  let socket: RawSocket;

  beforeEach(async () => {
    socket = await connectedButton();
  });

  it("stays silent, reads on, and answers nothing on that socket any more", async () => {
    gateway.misbehave("status", { do: "stay silent" });
    socket.send(statusOf(1));
    socket.send(statusOf(2));
    await eventually(() => expect(gateway.statuses()).toEqual([fromHex("01"), fromHex("02")]));
    expect(await socket.listen(300)).toBe("");
    expect(gateway.push(fromHex("03"))).toBe(1);
    expect(await socket.read(29)).toBe(commandOf(3));
  });

  it.each([1, 3, 4, 5, 28])("stays silent after %i bytes of the answer", async (afterBytes) => {
    gateway.misbehave("status", { do: "stay silent", afterBytes });
    socket.send(statusOf(1));
    expect(await socket.read(afterBytes)).toBe(commandOf(1).slice(0, 2 * afterBytes));
    expect(await socket.listen(30)).toBe("");
    expect(gateway.openSockets).toBe(1);
  });

  it.each([undefined, 0, 1, 4, 28, 1000])("closes after %s bytes of the answer", async (afterBytes) => {
    gateway.misbehave("status", { do: "close", afterBytes });
    socket.send(statusOf(1));
    expect(await socket.ended).toBe("end");
    expect(await socket.listen(0)).toBe(commandOf(1).slice(0, 2 * (afterBytes ?? 0)));
    await connectedButton();
  });

  it("closes after a delay", async () => {
    gateway.misbehave("status", { do: "close", delayMs: 50 });
    const [, elapsedMs] = await timed(() => {
      socket.send(STATUS);
      return socket.ended;
    });
    expect(elapsedMs).toBeGreaterThanOrEqual(byNodeTimer(50));
  });

  it("resets after a part of the answer", async () => {
    // A reset discards what has not been read by then.
    gateway.misbehave("status", { do: "reset", afterBytes: 4, delayMs: 500 });
    socket.send(STATUS);
    expect(await socket.ended).toBe("ECONNRESET");
    expect(await socket.listen(0)).toBe(STATUS.slice(0, 8));
    await connectedButton();
  });

  it("drips byte by byte", async () => {
    gateway.misbehave("status", { do: "drip" });
    const before = socket.chunks.length;
    socket.send(statusOf(1));
    expect(await socket.read(29)).toBe(commandOf(1));
    expect(socket.chunks.slice(before)).toEqual(commandOf(1).match(/../g));
  });

  it("drips in larger pieces over time, and a push waits for the end", async () => {
    gateway.misbehave("status", { do: "drip", bytes: 10, everyMs: 300 });
    const before = socket.chunks.length;
    socket.send(statusOf(1));
    await socket.read(1);
    gateway.push(fromHex("02"));
    expect(await socket.read(28 + 29)).toBe(commandOf(1).slice(2) + commandOf(2));
    expect(socket.chunks.slice(before, before + 2).map(({ length }) => length)).toEqual([20, 20]);
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
    expect(await socket.read(45)).toBe(STATUS);
  });

  it("lets the header come alone", async () => {
    gateway.misbehave("status", { do: "delay", ms: 0, afterBytes: 4 });
    const before = socket.chunks.length;
    socket.send(STATUS);
    await socket.read(45);
    expect(socket.chunks.slice(before)).toEqual([STATUS.slice(0, 8), STATUS.slice(8)]);
  });

  it.each([
    ["before", commandOf(2) + commandOf(3) + commandOf(1)],
    ["after", commandOf(1) + commandOf(2) + commandOf(3)],
  ] as const)("merges pushes %s the answer into one segment", async (order, expected) => {
    gateway.misbehave("status", { do: "merge", with: [fromHex("02"), fromHex("03")], order });
    const before = socket.chunks.length;
    socket.send(statusOf(1));
    await socket.read(29);
    expect(socket.chunks.slice(before)).toEqual([expected]);
  });

  it("merges one push after the answer by default", async () => {
    gateway.misbehave("status", { do: "merge", with: fromHex("02"), deviceName: "b" });
    socket.send(statusOf(1));
    expect(await socket.read(29 + 23)).toBe(commandOf(1) + renamedCommandOf(2));
  });

  it("sends given bytes instead, and answers the next status properly", async () => {
    gateway.misbehave("status", { do: "send", bytes: frame(fromHex("ffff")) });
    socket.send(statusOf(1));
    socket.send(statusOf(2));
    expect(await socket.read(6 + 29)).toBe(`02000000ffff${commandOf(2)}`);
  });

  it("sends another's command", async () => {
    gateway.misbehave("status", { do: "send", bytes: commandFrame({ ...button, deviceName: "b" }, fromHex("07")) });
    socket.send(statusOf(1));
    expect(await socket.read(23)).toBe(renamedCommandOf(7));
  });

  it("answers, then stops reading", async () => {
    gateway.misbehave("status", { do: "stop reading" });
    socket.send(statusOf(1));
    expect(await socket.read(29)).toBe(commandOf(1));
    socket.send(statusOf(2));
    expect(await socket.listen(40)).toBe("");
    expect(gateway.statuses()).toEqual([fromHex("01")]);
  });

  it("pushes before the answer", async () => {
    gateway.misbehave("status", { do: "push first", command: fromHex("07") });
    socket.send(statusOf(1));
    expect(await socket.read(58)).toBe(commandOf(7) + commandOf(1));
  });

  it("pushes instead of the answer, with another name", async () => {
    gateway.misbehave("status", { do: "push instead", command: fromHex("07"), deviceName: "b" });
    socket.send(statusOf(1));
    expect(await socket.read(23)).toBe(renamedCommandOf(7));
    expect(await socket.listen(30)).toBe("");
  });

  it("keeps the slot of a silently treated device taken until the module's time is over", async () => {
    await gateway.stop();
    gateway = await startGateway({ moduleTimeoutMs: 60_000 });
    socket = await connectedButton();
    gateway.misbehave("status", { do: "stay silent" });
    const arrived = gateway.nextStatus();
    socket.send(STATUS);
    await arrived;
    socket.socket.end();
    await socket.ended;
    const hasty = await dial(gateway);
    hasty.send(CONNECT);
    expect(await hasty.read(28)).toBe(refused(1));
  });
});

describe("a device that has vanished behind a silent network", () => {
  it("is neither answered nor closed, and keeps its slot even after it has closed its end, until it is disconnected as silent", async () => {
    await gateway.stop();
    gateway = await startGateway({ silenceMs: 1_000 });
    const ghost = await connectedButton();
    gateway.misbehave("status", { do: "vanish" });
    const arrived = gateway.nextStatus();
    ghost.send(statusOf(1) + statusOf(2));
    await arrived;
    gateway.push(fromHex("03"));
    expect(await ghost.listen(20)).toBe("");
    expect(gateway.statuses()).toEqual([fromHex("01")]);
    const gone = gateway.nextDisconnect();
    ghost.socket.destroy();
    const again = await dial(gateway);
    again.send(CONNECT);
    expect(await again.read(28)).toBe(refused(1));
    expect(await gone).toMatchObject({ connection: 1, by: "gateway" });
    await connectedButton();
  });

  it("gives way to a kick and to a restart", async () => {
    for (const free of [() => gateway.kick(), () => gateway.restart()]) {
      gateway.misbehave("connect", { do: "vanish" });
      const ghost = await dial(gateway);
      const arrived = gateway.nextConnect();
      ghost.send(CONNECT);
      await arrived;
      ghost.socket.resetAndDestroy();
      await free();
      (await connectedButton()).socket.end();
      await gateway.nextDisconnect();
    }
  });
});

describe("what a device does not read", () => {
  it("stops the gateway from reading its statuses", async () => {
    const socket = await connectedButton();
    const large = new Uint8Array(16 * 1024 * 1024);
    gateway.misbehave("status", { do: "push first", command: large });
    socket.socket.pause();
    const arrived = gateway.nextStatus();
    socket.send(statusOf(1));
    await arrived;
    socket.send(statusOf(2));
    await sleep(50);
    expect(gateway.statuses()).toEqual([fromHex("01")]);
    const next = gateway.nextStatus();
    socket.socket.resume();
    expect((await next).status).toEqual(fromHex("02"));
  });

  it("is stored up to 64 MiB, and then the connection is reset", async () => {
    const socket = await connectedButton();
    socket.socket.pause();
    const gone = gateway.nextDisconnect();
    const command = new Uint8Array(16 * 1024 * 1024);
    let pushes = 0;
    while (gateway.push(command) === 1 && pushes < 10) pushes += 1;
    expect((await gone).by).toBe("gateway");
    // The system holds some of it too.
    expect(pushes).toBeGreaterThanOrEqual(4);
    expect(pushes).toBeLessThanOrEqual(6);
  });
});

describe("a command that the device takes its time to read", () => {
  it("leaves nothing behind on the socket", async () => {
    let socket: Socket | undefined;
    const remember = (message: unknown): void => void ({ socket } = message as { socket: Socket });
    subscribe("net.server.socket", remember);
    const device = await connectedButton();
    unsubscribe("net.server.socket", remember);
    const listeners = socket?.listenerCount("close");
    const large = new Uint8Array(16 * 1024 * 1024);
    gateway.misbehave("status", { do: "push first", command: large });
    device.send(STATUS);
    await device.read(large.length);
    await eventually(() => expect(gateway.statuses()).toHaveLength(1));
    await eventually(() => expect(socket?.writableLength).toBe(0));
    expect(socket?.listenerCount("close")).toBe(listeners);
  });
});

describe("what waits for a reply that goes out in pieces", () => {
  it("is stored up to 64 MiB, and then the connection is reset", async () => {
    const socket = await connectedButton();
    gateway.misbehave("status", { do: "drip", everyMs: 60_000 });
    const gone = gateway.nextDisconnect();
    socket.send(statusOf(1));
    await socket.read(1);
    const command = new Uint8Array(16 * 1024 * 1024);
    let pushes = 0;
    while (gateway.push(command) === 1 && pushes < 10) pushes += 1;
    expect((await gone).by).toBe("gateway");
    expect(pushes).toBe(4);
  });
});

describe("what waits for a module that is at work", () => {
  it("is 10,000 statuses at most, and an error tells of those that were left out", async () => {
    const busy = await startGateway({ answer: () => new Promise(() => undefined), moduleTimeoutMs: 500 });
    try {
      busy.misbehave("status", { do: "stay silent" });
      const socket = await dial(busy);
      await connectButton(socket);
      const other = await dial(busy);
      other.send(CONNECT.replace("74657374", "6f746872"));
      await other.read(CONNECTED.length / 2);
      socket.send(statusOf(1));
      await busy.nextStatus();
      await eventually(() => expect(busy.planned).toBe(0));
      other.send(statusOf(2).replace("74657374", "6f746872"));
      await other.ended;
      // 32 bytes each, so that no header straddles a read of 1024.
      socket.send(`1c000000121a0a12${BUTTON}120401010101`.repeat(10_002));
      await eventually(() => expect(busy.errors.length).toBeGreaterThan(0));
      expect(String(busy.errors[0])).toContain("10000 statuses");
    } finally {
      await busy.stop();
    }
  });
});

describe("plans", () => {
  it("come in the order given, as often as given, each at its point", async () => {
    gateway.misbehave("status", { do: "send", bytes: fromHex("aa") }, { times: 2 });
    gateway.misbehave("connect", { do: "send", bytes: fromHex("bb") });
    gateway.misbehave("status", { do: "send", bytes: fromHex("cc") });
    expect(gateway.planned).toBe(4);
    const socket = await dial(gateway);
    socket.send(CONNECT + statusOf(1) + statusOf(2) + statusOf(3) + statusOf(4));
    expect(await socket.read(4 + 29)).toBe(`bbaaaacc${commandOf(4)}`);
    expect(gateway.planned).toBe(0);
  });

  it("carry the bytes at the call", async () => {
    const bytes = fromHex("aa");
    gateway.misbehave("status", { do: "send", bytes });
    gateway.misbehave("status", { do: "merge", with: [bytes] });
    bytes[0] = 9;
    const socket = await connectedButton();
    socket.send(statusOf(1) + statusOf(2));
    expect(await socket.read(1 + 2 * 29)).toBe(`aa${commandOf(2)}${commandOf(0xaa)}`);
  });

  it("come for ever with times: Infinity, until behave is called", async () => {
    gateway.misbehave("status", { do: "send", bytes: fromHex("aa") }, { times: Infinity });
    const socket = await connectedButton();
    socket.send(statusOf(1) + statusOf(2));
    expect(await socket.read(2)).toBe("aaaa");
    expect(gateway.planned).toBe(Infinity);
    gateway.behave();
    socket.send(statusOf(3));
    expect(await socket.read(29)).toBe(commandOf(3));
  });

  it("come to matching devices only", async () => {
    gateway.misbehave("connect", { do: "close" }, { which: { deviceRole: "other" } });
    gateway.misbehave("status", { do: "send", bytes: fromHex("aa") }, { which: { module: 1000, priority: 0 } });
    const socket = await connectedButton();
    socket.send(statusOf(1));
    expect(await socket.read(1)).toBe("aa");
    expect(gateway.planned).toBe(1);
  });

  it("do not ask for an answer that the fault does not need", async () => {
    await gateway.stop();
    let asked = 0;
    gateway = await startGateway({
      answer: (status) => {
        asked += 1;
        return status;
      },
    });
    gateway.misbehave("status", { do: "push instead", command: fromHex("07") });
    gateway.misbehave("status", { do: "close" });
    const socket = await connectedButton();
    socket.send(statusOf(1) + statusOf(2));
    await socket.ended;
    expect(asked).toBe(0);
  });

  it("are refused where they make no sense", () => {
    const misbehave = gateway.misbehave as (at: unknown, fault: unknown, options: unknown) => void;
    const tries = [
      [
        ["status", { do: "refuse", responseType: 1 }],
        'fault.do at "status" is \'refuse\', but must be "stay silent" or "close" or',
      ],
      [["accept", { do: "vanish" }], "fault.do at \"accept\" is 'vanish', but must be"],
      [["accept", { do: "drip" }], "fault.do at \"accept\" is 'drip', but must be"],
      [
        ["accept", { do: "close", afterBytes: 1 }],
        "fault has no property 'afterBytes'. Its properties are do, delayMs.",
      ],
      [["accept", { do: "close" }, { which: {} }], 'which is {}, but must be left out at "accept"'],
      [["reply", { do: "close" }], 'at is \'reply\', but must be "accept" or "connect" or "status"'],
      [["status", undefined], "fault is undefined, but must be an object"],
      [["status", { do: "explode" }], "is 'explode', but must be"],
      [["status", { do: "toString" }], "is 'toString', but must be"],
      [["status", { do: "send" }], "fault.bytes is undefined, but must be a Uint8Array"],
      [["status", { do: "send", bytes: "00" }], "fault.bytes is '00', but must be a Uint8Array"],
      [["status", { do: "delay", ms: -1 }], "fault.ms is -1, but must be a whole number from 0 to 2147483647"],
      [["status", { do: "drip", bytes: 0 }], "fault.bytes is 0, but must be a whole number from 1 to 4294967295"],
      [["status", { do: "merge", with: [1] }], "fault.with[0] is 1, but must be a Uint8Array"],
      [["status", { do: "merge", with: 1 }], "fault.with is 1, but must be a Uint8Array"],
      [
        ["status", { do: "merge", with: [], order: "both" }],
        'fault.order is \'both\', but must be "before" or "after"',
      ],
      [["connect", { do: "refuse", responseType: 0 }], "fault.responseType is 0, but must be a number other than 0"],
      [
        ["connect", { do: "refuse", responseType: 2 ** 31 }],
        "fault.responseType is 2147483648, but must be a whole number from -2147483648",
      ],
      [["status", { do: "close" }, { times: 0 }], ", but must be a whole number from 1 to 9007199254740991, or Inf"],
      [["status", { do: "close" }, { times: "2" }], "is '2', but must be"],
      [
        ["status", { do: "close" }, { which: { role: "a" } }],
        "options.which has no property 'role'. Its properties are module, deviceType",
      ],
    ] as const;
    for (const [[at, fault, options], message] of tries) {
      expect(() => misbehave(at, fault, options as unknown)).toThrow(message);
    }
    expect(gateway.planned).toBe(0);
  });
});

it("builds frames byte for byte", () => {
  expect(frame(fromHex("0102"))).toEqual(fromHex("020000000102"));
  expect(frame(new Uint8Array(0))).toEqual(fromHex("00000000"));
  expect(connectResponseFrame({ module: 1000, deviceType: 0, deviceRole: "test", deviceName: "button1" }, 2)).toEqual(
    fromHex(refused(2)),
  );
  expect(commandFrame(button, fromHex("09"))).toEqual(fromHex(`1900000012170a12${BUTTON}120109`));
});
