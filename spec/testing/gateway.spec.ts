import { createHook } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { startGateway } from "../../lib/testing.js";
import { eventually } from "../support/eventually.js";
import { openGateway } from "../support/opened.js";
import { connectDevice, deliver, dial, hangUpAll, openDevice } from "./raw-socket.js";
import {
  BUTTON,
  button,
  commandOf,
  CONNECT,
  connectOf,
  fromHex,
  payloadOf,
  RENAMED,
  STATUS,
  statusOf,
} from "./wire.js";

// Module 1000, type 0, role "tes", name "b".
const OTHER = "08e8071a03746573220162";
const other = { module: 1000, deviceType: 0, deviceRole: "tes", deviceName: "b", priority: 0 };

afterEach(hangUpAll);

async function openBoth() {
  const { gateway, socket } = await openDevice();
  return { gateway, socket, another: await connectDevice(gateway, OTHER) };
}

describe("starting", () => {
  it("listens on a free port of this machine", async () => {
    const [gateway, second] = [await openGateway(), await openGateway()];
    expect(gateway.host).toBe("127.0.0.1");
    expect(gateway.port).toBeGreaterThan(0);
    expect(second.port).not.toBe(gateway.port);
  });

  it.each([
    [{ port: 65_536 }, RangeError, "options.port is 65536, but must be a whole number from 0 to 65535"],
    [{ port: 1.5 }, RangeError, "options.port is 1.5, but must be"],
    [{ port: "80" }, TypeError, "options.port is '80', but must be a whole number from 0 to 65535"],
    [{ host: "" }, TypeError, "options.host is '', but must be a non-empty string"],
    [{ answer: 1 }, TypeError, "options.answer is 1, but must be a function"],
    [
      { moduleTimeoutMs: 0 },
      RangeError,
      "options.moduleTimeoutMs is 0, but must be a whole number from 1 to 2147483647",
    ],
    [{ cleanUpMs: NaN }, RangeError, "options.cleanUpMs is NaN, but must be a whole number from 0 to 2147483647"],
    [{ silenceMs: 2 ** 31 }, RangeError, "must be a whole number from 1 to 2147483647, or Infinity"],
    [{ modules: 3 }, TypeError, "options.modules is 3, but must be an array of modules"],
    [{ modules: ["1"] }, TypeError, "options.modules[0] is '1', but must be an object"],
    [{ modules: [1.5] }, RangeError, "modules[0] is 1.5, but must be a whole number from -2147483648 to 2147483647"],
    [{ modules: [{ number: 1 }] }, TypeError, ". Its properties are module, deviceTypes, answer, pushes."],
    [{ modules: [{ deviceTypes: [1] }] }, TypeError, "modules[0].module is undefined, but must be a module or its"],
    [{ modules: [{ module: 1, deviceTypes: 1 }] }, TypeError, "but must be an array of device"],
    [{ modules: [{ module: 1, deviceTypes: [-1] }] }, RangeError, "but must be a whole number"],
    [{ modules: [{ module: 1, pushes: 1 }] }, TypeError, "options.modules[0].pushes is 1, but must be true or false"],
    [{ timeout: 3 }, TypeError, "options has no property 'timeout'. Its properties are host, port"],
    [7, TypeError, "options is 7, but must be an object"],
  ])("rejects %j, and says what is allowed", async (options, kind, message) => {
    const started = startGateway(options as object);
    await expect(started).rejects.toThrow(kind);
    await expect(started).rejects.toThrow(message);
  });

  it("rejects with the system's error if the port is taken", async () => {
    const { port } = await openGateway();
    await expect(startGateway({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("takes options that are undefined as left out", async () => {
    await openDevice({ port: undefined, answer: undefined, modules: undefined });
  });
});

describe("its state", () => {
  it("shows who is connected, and counts connections and open sockets", async () => {
    const { gateway, socket } = await openBoth();
    await dial(gateway);
    expect(gateway.devices).toEqual([button, other]);
    expect(Object.isFrozen(gateway.devices) && Object.isFrozen(gateway.devices[0])).toBe(true);
    socket.socket.end();
    await socket.ended;
    expect(gateway.devices).toEqual([other]);
    expect(gateway.connections).toBe(3);
    expect(gateway.openSockets).toBe(2);
  });

  it("shows what was received, in order, until told to forget", async () => {
    const { gateway, socket } = await openDevice();
    await socket.exchanges(statusOf(1), commandOf(1));
    const second = await dial(gateway, CONNECT);
    await second.ended;
    expect(gateway.received).toEqual([
      { kind: "connect", device: button, response: 0, connection: 1 },
      { kind: "status", device: button, status: fromHex("01"), connection: 1 },
      { kind: "connect", device: button, response: 1, connection: 2 },
    ]);
    gateway.forget();
    expect(gateway.received).toEqual([]);
    expect(gateway.statuses()).toEqual([]);
  });

  it("returns the statuses of matching devices", async () => {
    const { gateway, socket } = await openBoth();
    await socket.exchanges(statusOf(1) + statusOf(2), commandOf(1) + commandOf(2));
    expect(gateway.statuses()).toEqual([fromHex("01"), fromHex("02")]);
    expect(gateway.statuses({ deviceRole: "test", deviceType: 0 })).toEqual([fromHex("01"), fromHex("02")]);
    expect(gateway.statuses({ deviceName: "b" })).toEqual([]);
    expect(() => gateway.statuses({ role: "test" } as object)).toThrow(TypeError);
  });

  it("returns the next status and connect of matching devices", async () => {
    const gateway = await openGateway();
    const connected = gateway.nextConnect({ deviceRole: "test" });
    await connectDevice(gateway, OTHER);
    const socket = await connectDevice(gateway);
    expect(await connected).toEqual({ kind: "connect", device: button, response: 0, connection: 2 });

    await socket.exchanges(statusOf(1), commandOf(1));
    const next = gateway.nextStatus();
    const elsewhere = gateway.nextStatus({ priority: 3 });
    socket.send(statusOf(2));
    expect((await next).status).toEqual(fromHex("02"));
    await gateway.stop();
    await expect(elsewhere).rejects.toThrow("stopped");
    await expect(gateway.nextConnect()).rejects.toThrow("stopped");
  });
});

describe("what it does on demand", () => {
  it("pushes a command to the matching connected devices, with another name if wanted", async () => {
    const { gateway, socket, another } = await openBoth();
    await dial(gateway);
    expect(gateway.push(fromHex("01"), { deviceRole: "test" })).toBe(1);
    expect(gateway.push(fromHex("02"), { deviceRole: "test" }, { deviceName: "b" })).toBe(1);
    await socket.gets(commandOf(1) + payloadOf(RENAMED, "02"));
    expect(gateway.push(new Uint8Array(0))).toBe(2);
    await socket.gets(payloadOf(BUTTON, ""));
    await another.gets(payloadOf(OTHER, ""));
    expect(() => gateway.push("01" as unknown as Uint8Array)).toThrow(
      "argument command is '01', but must be a Uint8Array",
    );
  });

  it("does not push to a refused device, but sends to it", async () => {
    const gateway = await openGateway({ modules: [] });
    const socket = await dial(gateway, CONNECT);
    await socket.read(28);
    expect(gateway.push(fromHex("01"))).toBe(0);
    expect(gateway.send(fromHex("aa"), { module: 1000 })).toBe(1);
    await socket.gets("aa");
  });

  it("sends raw bytes in one write to every open socket, or to matching devices", async () => {
    const { gateway, socket } = await openBoth();
    const nobody = await dial(gateway);
    const before = socket.chunks.length;
    expect(gateway.send(fromHex("0102030405060708"))).toBe(3);
    expect(gateway.send(fromHex("09"), { module: 2 })).toBe(0);
    await nobody.gets("0102030405060708");
    await socket.read(8);
    expect(socket.chunks.slice(before)).toEqual(["0102030405060708"]);
  });

  it("closes the sockets of matching devices", async () => {
    const { gateway, socket } = await openBoth();
    expect(gateway.kick({ deviceRole: "test" })).toBe(1);
    expect(gateway.devices).toEqual([other]);
    expect(await socket.ended).toBe("end");
    await connectDevice(gateway);
  });

  it("resets every socket", async () => {
    const { gateway, socket } = await openBoth();
    const nobody = await dial(gateway);
    expect(gateway.kick(undefined, { reset: true })).toBe(3);
    expect(await socket.ended).toBe("ECONNRESET");
    expect(await nobody.ended).toBe("ECONNRESET");
    expect(gateway.kick()).toBe(0);
  });
});

describe("restarting", () => {
  it("closes all sockets, frees all slots, and comes back on the same port when it has been down", async () => {
    const { gateway, socket } = await openDevice({ cleanUpMs: 10_000 });
    const { port } = gateway;
    const back = gateway.restart({ downMs: 1_000 });
    expect(await socket.ended).toBe("end");
    await eventually(() => expect(gateway.openSockets).toBe(0));
    await expect(dial(gateway)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await back;
    expect(gateway.port).toBe(port);
    await connectDevice(gateway);
    expect(gateway.connections).toBe(2);
    expect(gateway.received).toHaveLength(2);
  });

  it("restarts one time after the other", async () => {
    const gateway = await openGateway();
    await Promise.all([gateway.restart(), gateway.restart({ downMs: 5 }), gateway.restart()]);
    await connectDevice(gateway);
  });

  it("gives up when it is stopped meanwhile, and after that", async () => {
    const gateway = await openGateway();
    const back = gateway.restart({ downMs: 60_000 });
    await gateway.stop();
    await expect(back).rejects.toThrow("stopped");
    await expect(gateway.restart()).rejects.toThrow("stopped");
  });

  it("rejects if the port is taken meanwhile, and can still be stopped", async () => {
    const gateway = await openGateway();
    const back = gateway.restart({ downMs: 1_000 });
    await sleep(20);
    await openGateway({ port: gateway.port });
    await expect(back).rejects.toMatchObject({ code: "EADDRINUSE" });
    await gateway.stop();
  });

  it("rejects a wrong time", async () => {
    const gateway = await openGateway();
    const message = "options.downMs is -1, but must be a whole number from 0";
    await expect(gateway.restart({ downMs: -1 })).rejects.toThrow(message);
  });
});

describe("stopping", () => {
  it("closes every socket and the port, at the end of a block too, as often as it is called", async () => {
    const { gateway, socket } = await openDevice();
    {
      await using inBlock = gateway;
      expect(inBlock.openSockets).toBe(1);
    }
    await Promise.all([gateway.stop(), gateway.stop()]);
    expect(await socket.ended).toBe("end");
    expect(gateway.openSockets).toBe(0);
    await expect(dial(gateway)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("leaves no socket and no timer behind, whatever it was doing", async () => {
    const timers = watchTimers();
    // Other spec files run in the same process: what they have left to the system is none of the gateway's.
    const before = tcpResources();
    const gateway = await openGateway({ cleanUpMs: 60_000, answer: () => new Promise(() => undefined) });
    gateway.misbehave("connect", { do: "drip", everyMs: 60_000 }, { which: { deviceRole: "tes" } });
    gateway.misbehave("accept", { do: "delay", ms: 60_000 });
    await dial(gateway);
    gateway.misbehave("accept", { do: "stop reading" });
    await dial(gateway, "00".repeat(1_000_000));
    const dripping = await dial(gateway, connectOf(OTHER));
    await dripping.read(1);
    const waiting = await connectDevice(gateway);
    await deliver(gateway, waiting, STATUS);
    await sleep(5);
    expect(timers.running()).toBeGreaterThan(3);
    await gateway.stop();
    await hangUpAll();
    await eventually(() => expect(timers.running()).toBe(0));
    timers.unwatch();
    await eventually(() => expect(tcpResources()).toBeLessThanOrEqual(before));
  });

  it("ignores a late answer", async () => {
    let answerLate = (_answer: Uint8Array): void => undefined;
    const answer = () => new Promise<Uint8Array>((resolve) => (answerLate = resolve));
    const { gateway, socket } = await openDevice({ answer });
    gateway.misbehave("status", { do: "delay", ms: 60_000 });
    await deliver(gateway, socket, STATUS);
    await sleep(5);
    await gateway.stop();
    answerLate(fromHex("01"));
    await sleep(5);
    expect(gateway.errors).toEqual([]);
  });
});

function tcpResources(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind.startsWith("TCP")).length;
}

/** Sees the gateway's timers that do not keep the process alive, too; those of the spec and of jest do not count. */
function watchTimers(): { readonly running: () => number; readonly unwatch: () => void } {
  const running = new Set<number>();
  const hook = createHook({
    init: (id, type) => {
      if (type === "Timeout" && new Error().stack?.includes("/lib/testing/") === true) running.add(id);
    },
    destroy: (id) => running.delete(id),
  }).enable();
  return { running: () => running.size, unwatch: () => hook.disable() };
}

it("serves a thousand devices at once", async () => {
  const gateway = await openGateway();
  // Module 1000, and the number as the role.
  const roles = Array.from({ length: 1000 }, (_, index) => Buffer.from(String(index).padStart(4, "0")).toString("hex"));
  const sockets = await Promise.all(roles.map((role) => connectDevice(gateway, `08e8071a04${role}`)));
  expect(gateway.devices).toHaveLength(1000);
  expect(gateway.push(fromHex("01"))).toBe(1000);
  await Promise.all(sockets.map((socket) => socket.read(20)));
});
