import { afterEach, describe, expect, it } from "@jest/globals";
import { err, ok } from "neverthrow";
import {
  defineModule,
  destroy,
  exchange as exchangeBytes,
  getCommand as getCommandBytes,
  isCommunicationError,
  isUsageError,
  json,
  text,
  type Codec,
  type ModuleConfig,
} from "../../lib/index.js";
import type { TestingGateway } from "../../lib/testing.js";
import { hex, utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { configFor, endAll, keep, openClient, openGateway } from "../support/opened.js";

afterEach(endAll);

interface Light {
  on: boolean;
}

function isLight(value: unknown): value is Light {
  return typeof value === "object" && value !== null && "on" in value && typeof value.on === "boolean";
}

const lights = defineModule({ name: "lights", number: 1002, status: json(isLight), command: json(isLight) });
const END = { done: true, value: undefined };

function lampAt(gateway: TestingGateway): ModuleConfig {
  return {
    host: gateway.host,
    port: gateway.port,
    device: { deviceType: 3, deviceRole: "lamp", deviceName: "lamp1" },
  };
}

async function openLamp(gateway: TestingGateway) {
  return keep((await lights.connect(lampAt(gateway)))._unsafeUnwrap());
}

describe("a module", () => {
  it("fills in its number, and the rest of the device is as given", async () => {
    const gateway = await openGateway();
    const lamp = await openLamp(gateway);
    const device = { module: 1002, deviceType: 3, deviceRole: "lamp", deviceName: "lamp1", priority: 0 };
    expect(gateway.devices).toEqual([device]);
    expect(lamp.device).toEqual(device);
  });

  it("fills in its number whatever number is given besides", async () => {
    const gateway = await openGateway();
    const config = lampAt(gateway);
    const device = { ...config.device, module: 7 };
    keep((await lights.connect({ ...config, device }))._unsafeUnwrap());
    expect(gateway.devices[0]?.module).toBe(1002);
  });

  it("writes statuses and reads commands by its codecs", async () => {
    const gateway = await openGateway({ answer: () => utf8('{ "on": false }') });
    const lamp = await openLamp(gateway);
    expect((await lights.exchange(lamp, { on: true }))._unsafeUnwrap()).toEqual({ on: false });
    expect((await lights.sendStatus(lamp, { on: false }))._unsafeUnwrap()).toBe(lamp);
    expect(lights.getCommand(lamp)._unsafeUnwrap()).toEqual({ on: false });
    // {"on":true} and {"on":false}
    expect(gateway.statuses().map(hex)).toEqual(["7b226f6e223a747275657d", "7b226f6e223a66616c73657d"]);
  });

  it("stands in a pipeline from connect to the command", async () => {
    const gateway = await openGateway();
    const command = await lights
      .connect(lampAt(gateway))
      .map(keep)
      .andThen((lamp) => lights.exchange(lamp, { on: true }, { timeoutMs: 10_000 }));
    expect(command._unsafeUnwrap()).toEqual({ on: true });
  });

  it("gives its definition back, and cannot be changed", () => {
    const status = text();
    const module = defineModule({ name: "display", number: 1001, status });
    expect(module).toMatchObject({ name: "display", number: 1001 });
    expect(module.status).toBe(status);
    expect(Object.isFrozen(module)).toBe(true);
  });

  it("without codecs has bytes for payloads", async () => {
    const gateway = await openGateway();
    const bytes = defineModule({ name: "bytes", number: 1003 });
    const client = keep((await bytes.connect(lampAt(gateway)))._unsafeUnwrap());
    const command = (await bytes.exchange(client, Uint8Array.of(1, 2)))._unsafeUnwrap();
    expect(command).toEqual(Uint8Array.of(1, 2));
    expect(getCommandBytes(client)._unsafeUnwrap()).toBe(command);
    expect((await bytes.exchange(client, "no bytes" as never))._unsafeUnwrapErr()).toMatchObject({ code: "NOT_OK" });
  });

  it("can have a codec for one way only", async () => {
    const gateway = await openGateway();
    const display = defineModule({ name: "display", number: 1001, status: text() });
    const client = keep((await display.connect(lampAt(gateway)))._unsafeUnwrap());
    expect((await display.exchange(client, "é"))._unsafeUnwrap()).toEqual(Uint8Array.of(0xc3, 0xa9));
  });

  it("shares its handles with the raw functions", async () => {
    const gateway = await openGateway();
    const lamp = await openLamp(gateway);
    expect((await exchangeBytes(lamp, utf8('{"on":true}')))._unsafeUnwrap()).toEqual(utf8('{"on":true}'));
    expect(lights.getCommand(lamp)._unsafeUnwrap()).toEqual({ on: true });
    const { device } = configFor(gateway, { device: { ...lampAt(gateway).device, deviceRole: "raw", module: 1002 } });
    const raw = await openClient(gateway, { device });
    expect((await lights.exchange(raw, { on: false }))._unsafeUnwrap()).toEqual({ on: false });
  });

  it("destroys its clients, as withClient does", async () => {
    const gateway = await openGateway();
    const lamp = await openLamp(gateway);
    expect((await lights.destroy(lamp)).isOk()).toBe(true);
    expect(lights.getCommand(lamp)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    await eventually(() => expect(gateway.openSockets).toBe(0));
    const command = await lights.withClient(lampAt(gateway), (client) => lights.exchange(client, { on: true }));
    expect(command._unsafeUnwrap()).toEqual({ on: true });
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it("passes options on", async () => {
    const gateway = await openGateway();
    const lamp = await openLamp(gateway);
    const options = { signal: AbortSignal.abort("stop") };
    expect((await lights.exchange(lamp, { on: true }, options))._unsafeUnwrapErr()).toMatchObject({ cause: "stop" });
    expect((await lights.sendStatus(lamp, { on: true }, options))._unsafeUnwrapErr()).toMatchObject({ cause: "stop" });
    const wrong = await lights.exchange(lamp, { on: true }, { timeoutMs: 0 });
    expect(wrong._unsafeUnwrapErr().message).toContain("options.timeoutMs is 0");
  });
});

describe("a status that the module cannot write", () => {
  it.each([
    ["a payload that is not one", { on: "yes" }],
    ["undefined", undefined],
    ["a payload that lacks a field", {}],
  ])("%s is NOT_OK, nothing is sent, and the client goes on", async (_, payload) => {
    const gateway = await openGateway();
    const lamp = await openLamp(gateway);
    for (const send of [lights.exchange, lights.sendStatus]) {
      const error = (await send(lamp, payload as never))._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "usage" });
      expect(isUsageError(error)).toBe(true);
      expect(error.message).toMatch(/^NOT_OK: .*"lights".*\$/);
      expect(error).not.toHaveProperty("payload");
    }
    expect(gateway.statuses()).toEqual([]);
    expect((await lights.exchange(lamp, { on: true }))._unsafeUnwrap()).toEqual({ on: true });
    expect(gateway.connections).toBe(1);
  });
});

describe("a command that the module cannot read", () => {
  const unreadable = utf8('{"on":1}');

  it("is COMMAND_INCORRECT with the module, the path and the bytes; the connection is not harmed", async () => {
    const gateway = await openGateway({ answer: () => unreadable });
    const lamp = await openLamp(gateway);
    const outcomes = [await lights.exchange(lamp, { on: true }), lights.getCommand(lamp)];
    for (const outcome of outcomes) {
      const error = outcome._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "COMMAND_INCORRECT", returnCode: -19, family: "communication" });
      expect(isCommunicationError(error)).toBe(true);
      expect(error.message).toMatch(/^COMMAND_INCORRECT: .*"lights".*\$/);
      expect(error.payload).toEqual(unreadable);
    }
    expect((await lights.sendStatus(lamp, { on: true }))._unsafeUnwrap()).toBe(lamp);
    gateway.push(utf8('{"on":true}'));
    await eventually(() => expect(lights.getCommand(lamp)._unsafeUnwrap()).toEqual({ on: true }));
    expect(gateway.connections).toBe(1);
    expect(gateway.statuses()).toHaveLength(2);
  });

  it("is an empty one where the codec knows no empty payload", async () => {
    const gateway = await openGateway({ answer: () => new Uint8Array(0) });
    const lamp = await openLamp(gateway);
    const error = (await lights.exchange(lamp, { on: true }))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "COMMAND_INCORRECT", payload: new Uint8Array(0) });
    expect(getCommandBytes(lamp)._unsafeUnwrap()).toEqual(new Uint8Array(0));
  });
});

describe("a codec of the user's own", () => {
  const percent: Codec<number> = {
    encode: (value) =>
      value <= 100 ? ok(Uint8Array.of(value)) : err({ path: "$.percent", message: "it is too much" }),
    decode: (bytes) => (bytes.length === 1 ? ok(bytes[0]!) : err({ path: "$[1]", message: "it is not one byte" })),
  };
  const dimmer = defineModule({ name: "dimmer", number: 1004, status: percent, command: percent });

  it("says where and what is wrong", async () => {
    const gateway = await openGateway({ answer: () => Uint8Array.of(1, 2) });
    const client = keep((await dimmer.connect(lampAt(gateway)))._unsafeUnwrap());
    const unwritable = (await dimmer.exchange(client, 101))._unsafeUnwrapErr();
    expect(unwritable.message).toMatch(/"dimmer".*\$\.percent.*it is too much/);
    const unreadable = (await dimmer.exchange(client, 100))._unsafeUnwrapErr();
    expect(unreadable.message).toMatch(/"dimmer".*\$\[1\].*it is not one byte/);
    expect(gateway.statuses()).toEqual([Uint8Array.of(100)]);
  });

  it("that throws gives an error in the Result with what was thrown as cause, and never a throw", async () => {
    const thrown = new Error("boom");
    const broken: Codec<number> = {
      encode: (value) => {
        if (value === 0) throw thrown;
        return ok(Uint8Array.of(value));
      },
      decode: () => {
        throw thrown;
      },
    };
    const module = defineModule({ name: "broken", number: 1005, status: broken, command: broken });
    const gateway = await openGateway();
    const client = keep((await module.connect(lampAt(gateway)))._unsafeUnwrap());
    const stream = module.commands(client);
    const unwritable = (await module.exchange(client, 0))._unsafeUnwrapErr();
    expect(unwritable).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect(unwritable.cause).toBe(thrown);
    const unreadable = [await module.exchange(client, 1), module.getCommand(client), (await stream.next()).value!];
    for (const outcome of unreadable) {
      const error = outcome._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "COMMAND_INCORRECT", payload: Uint8Array.of(1) });
      expect(error.cause).toBe(thrown);
    }
    expect(gateway.connections).toBe(1);
  });

  it("that gives no bytes is NOT_OK, and nothing is sent", async () => {
    const textual = { encode: () => ok("text"), decode: () => ok(1) } as unknown as Codec<number>;
    const module = defineModule({ name: "textual", number: 1006, status: textual });
    const gateway = await openGateway();
    const client = keep((await module.connect(lampAt(gateway)))._unsafeUnwrap());
    expect((await module.exchange(client, 1))._unsafeUnwrapErr()).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect(gateway.statuses()).toEqual([]);
  });
});

describe("a handle of another module's device", () => {
  it("is CONTEXT_INCORRECT from every function, and its client goes on", async () => {
    const gateway = await openGateway();
    const button = await openClient(gateway);
    const outcomes = [
      await lights.exchange(button, { on: true }),
      await lights.sendStatus(button, { on: true }),
      lights.getCommand(button),
    ];
    for (const outcome of outcomes) {
      const error = outcome._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "CONTEXT_INCORRECT", returnCode: -11, family: "usage" });
      expect(error.message).toMatch(/"lights".*module 1000/);
    }
    expect(await lights.commands(button).next()).toEqual(END);
    expect(gateway.statuses()).toEqual([]);
    expect((await exchangeBytes(button, Uint8Array.of(1)))._unsafeUnwrap()).toEqual(Uint8Array.of(1));
  });

  it("is none if it is no handle at all: that is CONTEXT_INCORRECT as well", async () => {
    const lamp = await openLamp(await openGateway());
    await destroy(lamp);
    for (const handle of [undefined, null, {}, { device: { module: 1002 } }, { ...lamp }, lamp] as never[]) {
      const outcomes = [
        await lights.exchange(handle, { on: true }),
        await lights.sendStatus(handle, { on: true }),
        lights.getCommand(handle),
      ];
      for (const outcome of outcomes) expect(outcome._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
      expect(await lights.commands(handle).next()).toEqual(END);
      expect((await lights.destroy(handle)).isOk()).toBe(true);
    }
  });
});

describe("a wrong configuration of a module's device", () => {
  function revokedProxy(): object {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }

  const throwing = {
    get device(): never {
      throw new Error("boom");
    },
  };

  it.each([
    ["undefined", undefined, "config is undefined"],
    ["null", null, "config is null"],
    ["an empty object", {}, "config.host is undefined"],
    ["without a device", { host: "127.0.0.1", port: 1 }, "config.device is undefined"],
    ["with a device that is none", { host: "127.0.0.1", port: 1, device: 7 }, "config.device is 7"],
    ["a revoked proxy", revokedProxy(), "config.host threw"],
    [
      "with a device that is a revoked proxy",
      { host: "h", port: 1, device: revokedProxy() },
      "config.device.module threw",
    ],
    ["whose device throws when it is read", Object.assign(throwing, {}), "config."],
  ])("%s is NOT_OK, never a throw", async (_, config, message) => {
    const outcomes = [await lights.connect(config as never), await lights.withClient(config as never, () => undefined)];
    for (const outcome of outcomes) {
      const error = outcome._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
      expect(error.message).toContain(message);
    }
  });

  it("is one whose module's number is wrong", async () => {
    const gateway = await openGateway();
    const wrong = defineModule({ name: "wrong", number: -1 });
    const error = (await wrong.connect(lampAt(gateway)))._unsafeUnwrapErr();
    expect(error.message).toContain("config.device.module is -1");
    expect(gateway.connections).toBe(0);
  });
});

describe("a module's commands", () => {
  it("are Results: each command that was read, or why it could not be; reading goes on", async () => {
    const gateway = await openGateway();
    const lamp = await openLamp(gateway);
    const stream = lights.commands(lamp);
    gateway.push(utf8('{"on":true}'));
    gateway.push(utf8("nonsense"));
    gateway.push(utf8('{"on":false}'));
    await eventually(() => expect(lights.getCommand(lamp)._unsafeUnwrap()).toEqual({ on: false }));
    await destroy(lamp);
    const read: unknown[] = [];
    for await (const command of stream)
      read.push(
        command.match(
          (light) => light.on,
          (error) => hex(error.payload!),
        ),
      );
    expect(read).toEqual([true, "6e6f6e73656e7365", false]);
  });

  it("pass on highWaterMark, and fall behind with a rejection", async () => {
    const gateway = await openGateway();
    const lamp = await openLamp(gateway);
    const stream = lights.commands(lamp, { highWaterMark: 1 });
    gateway.push(utf8('{"on":true}'));
    gateway.push(utf8('{"on":false}'));
    await eventually(() => expect(lights.getCommand(lamp)._unsafeUnwrap()).toEqual({ on: false }));
    expect((await stream.next()).value?._unsafeUnwrap()).toEqual({ on: true });
    await expect(stream.next()).rejects.toMatchObject({ code: "NOT_OK" });
    expect(await stream.next()).toEqual(END);
  });

  it("unsubscribe by return, before the first read too", async () => {
    const gateway = await openGateway();
    const lamp = await openLamp(gateway);
    const [left, using] = [lights.commands(lamp, { highWaterMark: 1 }), lights.commands(lamp, { highWaterMark: 1 })];
    expect(await left.return?.()).toEqual(END);
    await using[Symbol.asyncDispose]();
    gateway.push(utf8('{"on":true}'));
    gateway.push(utf8('{"on":false}'));
    await eventually(() => expect(lights.getCommand(lamp)._unsafeUnwrap()).toEqual({ on: false }));
    expect(await left.next()).toEqual(END);
    expect(await using.next()).toEqual(END);
  });

  it("unsubscribe by break, and a read that waits is ended by return", async () => {
    const gateway = await openGateway();
    const lamp = await openLamp(gateway);
    const stream = lights.commands(lamp);
    gateway.push(utf8('{"on":true}'));
    for await (const command of stream) {
      expect(command._unsafeUnwrap()).toEqual({ on: true });
      break;
    }
    expect(await stream.next()).toEqual(END);
    const other = lights.commands(lamp);
    const waiting = other.next();
    await other.return?.();
    expect(await waiting).toEqual(END);
  });
});
