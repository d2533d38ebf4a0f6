import { afterEach, describe, expect, it } from "@jest/globals";
import {
  commands,
  connect,
  defineModule,
  err,
  exchange,
  getCommand,
  json,
  ok,
  optional,
  sendStatus,
  type Codec,
  type Device,
  type Module,
} from "../../lib/index.js";
import { utf8 } from "../support/bytes.js";
import { button, configFor, endAll, keep, openGateway } from "../support/opened.js";

afterEach(endAll);

function isLamp(value: unknown): value is { lit: boolean } {
  return typeof value === "object" && value !== null && "lit" in value && typeof value.lit === "boolean";
}

const lamp = defineModule({ name: "lamp", number: 1234, status: json<{ on: boolean }>(), command: json(isLamp) });

/** A connected device of the module; its gateway answers each status with those bytes. */
async function openDevice<Status, Command>(module: Module<Status, Command>, answer: string) {
  const gateway = await openGateway({ answer: () => utf8(answer) });
  const config = { ...configFor(gateway), device: { ...button, module } };
  return { gateway, client: keep((await connect(config))._unsafeUnwrap()) };
}

describe("a module", () => {
  it("is a frozen value of a name, a number and two codecs, without functions", () => {
    expect(Object.keys(lamp)).toEqual(["name", "number", "status", "command"]);
    expect(Object.isFrozen(lamp)).toBe(true);
  });

  it("has bytes for statuses and commands where its definition has no codec", () => {
    const raw = defineModule({ name: "raw", number: 1 });
    const bytes = Uint8Array.of(1, 2);
    const device = {} as Device;
    expect(raw.status.encode(bytes, device)._unsafeUnwrap()).toBe(bytes);
    expect(raw.command.decode(bytes, device)._unsafeUnwrap()).toBe(bytes);
    expect(raw.status.encode("text" as never, device).isErr()).toBe(true);
  });

  it.each([
    ["a number of 1.5", { name: "a", number: 1.5 }, RangeError],
    ["a number below 0", { name: "a", number: -1 }, RangeError],
    ["a number above 2^31-1", { name: "a", number: 2 ** 31 }, RangeError],
    ["no name", { name: "", number: 1 }, TypeError],
    ["a codec of statuses that is none", { name: "a", number: 1, status: {} }, TypeError],
    ["a codec of commands that is none", { name: "a", number: 1, command: {} }, TypeError],
  ])("cannot have %s", (_what, definition, error) => {
    expect(() => defineModule(definition as never)).toThrow(error);
  });
});

describe("a device of a module", () => {
  it("sends statuses and gets commands of the module's types", async () => {
    const { gateway, client } = await openDevice(lamp, '{"lit":true}');
    expect((await exchange(client, { on: true }))._unsafeUnwrap()).toEqual({ lit: true });
    expect(gateway.statuses().map((bytes) => Buffer.from(bytes).toString())).toEqual(['{"on":true}']);
    expect(getCommand(client)._unsafeUnwrap()).toEqual({ lit: true });
    expect(gateway.devices[0]?.module).toBe(1234);
    expect([client.module, client.device.module]).toEqual([lamp, 1234]);
  });

  it("reads every command; one that it cannot read is an error with its bytes, and reading goes on", async () => {
    const { gateway, client } = await openDevice(lamp, '{"lit":true}');
    const reader = commands(client);
    (await sendStatus(client, { on: true }))._unsafeUnwrap();
    gateway.push(utf8('{"lit":7}'));
    gateway.push(utf8('{"lit":false}'));
    expect((await reader.next()).value?._unsafeUnwrap()).toEqual({ lit: true });
    const unreadable = (await reader.next()).value!._unsafeUnwrapErr();
    expect(unreadable).toMatchObject({
      code: "COMMAND_INCORRECT",
      reason: "unreadable-command",
      payload: utf8('{"lit":7}'),
    });
    expect(unreadable.message).toContain('The command begins with "{\\"lit\\":7}"');
    expect((await reader.next()).value?._unsafeUnwrap()).toEqual({ lit: false });
  });

  it("gets an error for a command that it cannot read, and the connection stays open", async () => {
    const { gateway, client } = await openDevice(lamp, "null");
    const error = (await exchange(client, { on: true }))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "COMMAND_INCORRECT", reason: "unreadable-command", payload: utf8("null") });
    expect((await sendStatus(client, { on: false })).isOk()).toBe(true);
    expect(gateway.connections).toBe(1);
  });

  it("tells everyone of an empty command that it cannot read, and names optional()", async () => {
    const { client } = await openDevice(lamp, "");
    const reader = commands(client);
    expect((await exchange(client, { on: true }))._unsafeUnwrapErr().message).toContain("optional()");
    expect((await reader.next()).value?._unsafeUnwrapErr().code).toBe("COMMAND_INCORRECT");
    expect(getCommand(client)._unsafeUnwrapErr().code).toBe("COMMAND_INCORRECT");
  });

  it("sends nothing that its codec does not write", async () => {
    const { gateway, client } = await openDevice(lamp, "{}");
    const cycle: { on: boolean; self?: unknown } = { on: true };
    cycle.self = cycle;
    const error = (await exchange(client, cycle))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", reason: "unwritable-status", family: "usage" });
    expect(gateway.statuses()).toEqual([]);
  });
});

describe("a codec", () => {
  const device = { module: 1234, deviceType: 0, deviceRole: "test", deviceName: "button1", priority: 0 };

  it("is called with the device for which it writes and reads", async () => {
    const seen: Device[] = [];
    const codec: Codec<string> = {
      encode: (_payload, given) => (seen.push(given), ok(Uint8Array.of(1))),
      decode: (_bytes, given) => (seen.push(given), ok("command")),
    };
    const { client } = await openDevice(defineModule({ name: "a", number: 1234, status: codec, command: codec }), "x");
    (await exchange(client, "status"))._unsafeUnwrap();
    expect(seen).toEqual([device, device]);
  });

  const mistakes: Record<string, () => unknown> = {
    throws: () => {
      throw new Error("boom");
    },
    "returns no Result": () => 7,
    "returns nothing": () => undefined,
    "returns an error that is none": () => err(undefined),
  };

  it.each(Object.entries(mistakes))("that %s makes the call fail, and nothing else", async (_what, mistake) => {
    const wrong = { encode: mistake, decode: mistake } as unknown as Codec<string>;
    const unwritable = await openDevice(defineModule({ name: "a", number: 1, status: wrong }), "x");
    expect((await exchange(unwritable.client, "a"))._unsafeUnwrapErr()).toMatchObject({ reason: "unwritable-status" });
    expect(unwritable.gateway.statuses()).toEqual([]);
    const unreadable = await openDevice(defineModule({ name: "a", number: 1, command: wrong }), "x");
    const error = (await exchange(unreadable.client, Uint8Array.of(1)))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "COMMAND_INCORRECT", reason: "unreadable-command", payload: utf8("x") });
  });
});

const large = "\u001b".repeat(4 * 1024 * 1024);

it.each([
  ["its path", { path: large, message: "m" }],
  ["its message", { path: "$", message: large }],
])("a codec that quotes all of a large command makes no large error: %s", async (_, problem) => {
  const codec: Codec<string> = { encode: () => ok(Uint8Array.of(1)), decode: () => err(problem) };
  const { client } = await openDevice(defineModule({ name: "a", number: 1, status: codec, command: codec }), "x");
  const error = (await exchange(client, "a"))._unsafeUnwrapErr();
  expect(error.reason).toBe("unreadable-command");
  expect(error.message.length).toBeLessThan(10_000);
});

it("an optional command that is empty completes its status, and is skipped by getCommand and commands", async () => {
  const pushing = defineModule({ name: "pushing", number: 1234, command: optional(json(isLamp)) });
  const status = Uint8Array.of(1);
  const { gateway, client } = await openDevice(pushing, "");
  const reader = commands(client);
  (await sendStatus(client, status))._unsafeUnwrap();
  gateway.push(utf8('{"lit":true}'));
  expect((await reader.next()).value?._unsafeUnwrap()).toEqual({ lit: true });
  expect((await exchange(client, status))._unsafeUnwrap()).toBeUndefined();
  expect(getCommand(client)._unsafeUnwrap()).toEqual({ lit: true });
  gateway.push(utf8('{"lit":false}'));
  expect((await reader.next()).value?._unsafeUnwrap()).toEqual({ lit: false });
});
