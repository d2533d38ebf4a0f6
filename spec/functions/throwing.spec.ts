import { afterEach, describe, expect, it } from "@jest/globals";
import * as results from "../../lib/index.js";
import * as throwing from "../../lib/throwing.js";
import { utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { configFor, endAll, keep, openButton, openDevice, openGateway } from "../support/opened.js";

afterEach(endAll);

const END = { done: true, value: undefined };
const status = Uint8Array.of(1);

describe("the throwing entry", () => {
  it("has the same names, and shares with the other entry everything that does not fail", () => {
    const differ = Object.entries(results).filter(([name, value]) => throwing[name as keyof typeof results] !== value);
    const own = ["closed", "commands", "connect", "destroy", "exchange", "getCommand", "lazyClient", "runDevice"];
    expect(differ.map(([name]) => name).sort()).toEqual([...own, "sendStatus", "sendStatuses", "withClient"]);
    expect(Object.keys(throwing).sort()).toEqual(Object.keys(results).sort());
  });

  it("returns values where the other one returns Results", async () => {
    const gateway = await openGateway();
    const client = keep(await throwing.connect(configFor(gateway)));
    expect(await throwing.exchange(client, status)).toEqual(status);
    expect(await throwing.sendStatus(client, Uint8Array.of(2))).toBe(client);
    expect(throwing.getCommand(client)).toEqual(Uint8Array.of(2));
    const ended = throwing.closed(client);
    await expect(throwing.destroy(client)).resolves.toBeUndefined();
    await expect(ended).resolves.toBeUndefined();
    await expect(throwing.destroy(null as never)).resolves.toBeUndefined();
  });

  it("throws what connect fails with", async () => {
    const gateway = await openGateway({ modules: [] });
    const refused = { code: "MODULE_NOT_SUPPORTED", returnCode: -16, family: "connect" };
    await expect(throwing.connect(configFor(gateway))).rejects.toMatchObject(refused);
    await expect(throwing.connect(configFor(gateway))).rejects.toBeInstanceOf(results.InternalClientError);
    await expect(throwing.connect(null as never)).rejects.toMatchObject({ code: "NOT_OK", family: "usage" });
  });

  it("throws the very error that the Result holds", async () => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    const thrown = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);
    const both = [throwing.exchange(client, status), throwing.sendStatus(client, status)];
    const [failed, later] = await Promise.all(both.map(thrown));
    expect(failed).toMatchObject({ code: "UNABLE_TO_CONNECT" });
    expect(later).toMatchObject({ code: "CONTEXT_INCORRECT", cause: failed });
    await expect(throwing.closed(client)).rejects.toBe(failed);
    expect(results.getCommand(client)._unsafeUnwrapErr().cause).toBe(failed);
  });

  it("throws from getCommand synchronously", async () => {
    const { client } = await openButton();
    expect(() => throwing.getCommand(client)).toThrow(/^NO_COMMAND_AVAILABLE/);
    expect(() => throwing.getCommand(null as never)).toThrow(/^CONTEXT_INCORRECT/);
  });

  it("has a lazyClient that resolves to the client, and destroys it", async () => {
    const gateway = await openGateway();
    const button = throwing.lazyClient(configFor(gateway));
    expect(await throwing.exchange(await button(), status)).toEqual(status);
    await button.destroy();
    await eventually(() => expect(gateway.openSockets).toBe(0));
    const nobody = throwing.lazyClient({ ...configFor(gateway), port: 0 });
    await expect(nobody()).rejects.toMatchObject({ code: "NOT_OK" });
    await expect(nobody.destroy()).resolves.toBeUndefined();
  });
});

describe("commands and sendStatuses of the throwing entry", () => {
  const display = results.defineModule({ name: "text", number: 1001, status: results.text(), command: results.text() });

  it("yield values", async () => {
    const client = await openDevice(await openGateway(), display);
    const reader = throwing.commands(client);
    const sent: string[] = [];
    for await (const command of throwing.sendStatuses(client, ["a", "b"])) sent.push(command);
    expect(sent).toEqual(["a", "b"]);
    expect(await reader.next()).toEqual({ done: false, value: "a" });
    expect(await reader.return?.()).toEqual(END);
  });

  it("end by throwing the first error, and then return their source", async () => {
    const gateway = await openGateway();
    const client = await openDevice(gateway, display);
    const reader = throwing.commands(client);
    gateway.push(Uint8Array.of(0xff));
    gateway.push(utf8("readable"));
    await expect(reader.next()).rejects.toMatchObject({ reason: "unreadable-command", payload: Uint8Array.of(0xff) });
    expect(await reader.next()).toEqual(END);
    let isReturned = false;
    function* source() {
      try {
        yield 7 as never;
      } finally {
        isReturned = true;
      }
    }
    const sending = throwing.sendStatuses(client, source());
    await expect(sending.next()).rejects.toMatchObject({ reason: "unwritable-status" });
    expect(isReturned).toBe(true);
    expect(await sending.next()).toEqual(END);
  });
});

describe("runDevice of the throwing entry", () => {
  it("yields commands, passes errors that do not end it to onError, and throws the one that does", async () => {
    const gateway = await openGateway();
    gateway.misbehave("status", { do: "send", bytes: new Uint8Array(4) });
    const told: string[] = [];
    const read: number[] = [];
    async function* source() {
      yield status;
      yield Uint8Array.of(2);
      throw new Error("sensor unplugged");
    }
    const run = async () => {
      const options = { onError: (error: results.RunDeviceError) => void told.push(error.code) };
      for await (const command of throwing.runDevice(configFor(gateway), source(), options)) read.push(command[0]!);
    };
    await expect(run()).rejects.toMatchObject({ reason: "source-failed" });
    expect(told).toEqual(["COMMAND_INCORRECT"]);
    expect(read).toEqual([2]);
  });

  it("throws a wrong argument, and what onError throws", async () => {
    const gateway = await openGateway();
    const wrong = throwing.runDevice({ ...configFor(gateway), port: 0 }, [status]);
    await expect(wrong.next()).rejects.toMatchObject({ reason: "invalid-argument" });
    const optionsOfNone = throwing.runDevice(configFor(gateway), [status], 5 as never);
    await expect(optionsOfNone.next()).rejects.toMatchObject({ reason: "invalid-argument" });
    expect(gateway.connections).toBe(0);
    gateway.misbehave("connect", { do: "refuse", responseType: 2 });
    const failure = new Error("told");
    const onError = () => {
      throw failure;
    };
    await expect(throwing.runDevice(configFor(gateway), [status], { onError }).next()).rejects.toBe(failure);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });
});
