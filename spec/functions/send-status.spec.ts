import { afterEach, describe, expect, it } from "@jest/globals";
import { connect, exchange, getCommand, sendStatus, type ClientHandle } from "../../lib/index.js";
import type { TestingGateway } from "../../lib/testing.js";
import { fromHex, hex, utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { button, configFor, endAll, keep, openClient, openGateway } from "../support/opened.js";
import { AT_ONCE_MS, timed } from "../support/timed.js";

afterEach(endAll);

const status = utf8('{"pressed":true}');

describe("a status that is answered", () => {
  it("returns the same handle, so that calls can be chained", async () => {
    const gateway = await openGateway({ answer: () => utf8('{"lit_up":true}') });
    const client = await openClient(gateway);
    const sent = await sendStatus(client, status, { timeoutMs: 10_000 });
    expect(sent._unsafeUnwrap()).toBe(client);
    expect(gateway.statuses()).toEqual([status]);
  });

  it("fits in a pipeline from connect to getCommand", async () => {
    const gateway = await openGateway({ answer: () => utf8('{"lit_up":true}') });
    const command = await connect(configFor(gateway))
      .map(keep)
      .andThen((client) => sendStatus(client, status, { timeoutMs: 10_000 }))
      .andThen(getCommand);
    expect(hex(command._unsafeUnwrap())).toBe("7b226c69745f7570223a747275657d");
  });

  it("ends a pipeline at its first error", async () => {
    const gateway = await openGateway({ modules: [] });
    const command = await connect(configFor(gateway))
      .andThen((client) => sendStatus(client, status))
      .andThen(getCommand);
    expect(command._unsafeUnwrapErr().code).toBe("MODULE_NOT_SUPPORTED");
    expect(gateway.statuses()).toEqual([]);
  });

  it.each([
    ["the header alone first", { do: "delay", ms: 20, afterBytes: 4 }],
    ["byte by byte", { do: "drip" }],
    ["a pushed command first", { do: "push first", command: utf8("pushed") }],
    ["a pushed command instead", { do: "push instead", command: utf8("pushed") }],
    ["with a pushed command in one segment", { do: "merge", with: utf8("pushed"), order: "before" }],
  ] as const)("succeeds when the answer comes so: %s", async (_, fault) => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", fault);
    expect((await sendStatus(client, status))._unsafeUnwrap()).toBe(client);
    expect(gateway.connections).toBe(1);
  });

  it("succeeds when the answer is an empty command", async () => {
    const client = await openClient(await openGateway({ answer: () => new Uint8Array(0) }));
    const command = (await sendStatus(client, status)).andThen(getCommand);
    expect(command._unsafeUnwrap()).toEqual(new Uint8Array(0));
  });
});

// The button is 08e807 1a0474657374 2207627574746f6e31: module 1000, role "test", name "button1".
describe("an answer that breaks the protocol", () => {
  async function expectFailedButAlive(client: ClientHandle, gateway: TestingGateway, code: string): Promise<void> {
    const error = (await sendStatus(client, status))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code, family: "communication" });
    expect(gateway.statuses()).toHaveLength(1);
    await eventually(() => expect(gateway.openSockets).toBe(0));
    expect((await exchange(client, Uint8Array.of(7)))._unsafeUnwrap()).toEqual(Uint8Array.of(7));
    expect(gateway.connections).toBe(2);
    expect(gateway.statuses()).toEqual([status, Uint8Array.of(7)]);
  }

  it.each([
    ["is for another role", "190000001217" + "0a1208e8071a04746f73742207627574746f6e31" + "120161"],
    ["is for another module", "190000001217" + "0a1208e9071a04746573742207627574746f6e31" + "120161"],
    ["is for another type", "1b0000001219" + "0a1408e80710011a04746573742207627574746f6e31" + "120161"],
    ["is for another priority", "1b0000001219" + "0a1408e8071a04746573742207627574746f6e312801" + "120161"],
    ["is for no device", "050000001203120161"],
  ])("returns DEVICE_INCORRECT if it %s; nothing is resent, and the next status reconnects", async (_, answer) => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "send", bytes: fromHex(answer) });
    await expectFailedButAlive(client, gateway, "DEVICE_INCORRECT");
  });

  it.each([
    ["is a connect response", "160000000a141212" + "08e8071a04746573742207627574746f6e31"],
    ["is not protobuf", "03000000ffffff"],
    ["holds fields of no known number only", "020000007801"],
    ["is of length 0", "00000000"],
    ["announces more than 16 MiB", "01000001"],
    ["holds a command cut short", "190000001217" + "0a1208e8071a04746573742207627574746f6e31" + "120561"],
  ])("returns COMMAND_INCORRECT if it %s; nothing is resent, and the next status reconnects", async (_, answer) => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "send", bytes: fromHex(answer) });
    await expectFailedButAlive(client, gateway, "COMMAND_INCORRECT");
  });

  it("never becomes a command", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", {
      do: "send",
      bytes: fromHex("190000001217" + "0a1208e8071a04746f73742207627574746f6e31" + "120161"),
    });
    expect((await sendStatus(client, status))._unsafeUnwrapErr().code).toBe("DEVICE_INCORRECT");
    expect(getCommand(client)._unsafeUnwrapErr().code).toBe("NO_COMMAND_AVAILABLE");
  });

  it("with the other device's name only is an answer like any other", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const renamed = "1300000012110a0c08e8071a0474657374220162120161";
    gateway.misbehave("status", { do: "send", bytes: fromHex(renamed) });
    expect(hex((await exchange(client, status))._unsafeUnwrap())).toBe("61");
  });
});

describe("an attempt that fails in transport", () => {
  it.each([
    ["is closed", { do: "close" }],
    ["is reset", { do: "reset" }],
    ["is closed in the middle of the answer", { do: "close", afterBytes: 10 }],
    ["times out", { do: "stay silent" }],
  ] as const)("%s: the device reconnects once and the status is sent again", async (_, fault) => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", fault);
    expect((await sendStatus(client, status, { timeoutMs: 1_000 }))._unsafeUnwrap()).toBe(client);
    expect(gateway.statuses()).toEqual([status, status]);
    expect(gateway.received.at(-1)).toEqual({
      kind: "status",
      device: { ...button, priority: 0 },
      status,
      connection: gateway.connections,
    });
    await eventually(() => expect(gateway.openSockets).toBe(1));
  });

  it("does not count when the connection was lost before: one reconnection, and the status is sent once", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.kick();
    await eventually(() => expect(gateway.openSockets).toBe(0));
    (await sendStatus(client, status))._unsafeUnwrap();
    expect(gateway.connections).toBe(2);
    expect(gateway.statuses()).toEqual([status]);
  });

  it("asks again while the gateway still considers the old connection alive", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave("connect", { do: "refuse", responseType: 1 }, { times: 3 });
    (await sendStatus(client, status))._unsafeUnwrap();
    expect(gateway.connections).toBe(5);
    expect(gateway.devices).toHaveLength(1);
  });
});

describe("a status that fails twice", () => {
  async function failureOf(client: ClientHandle, timeoutMs = 5_000) {
    return (await sendStatus(client, status, { timeoutMs }))._unsafeUnwrapErr();
  }

  async function expectDestroyedBy(client: ClientHandle, gateway: TestingGateway, error: unknown): Promise<void> {
    const later = [await sendStatus(client, status), await exchange(client, status), getCommand(client)];
    for (const outcome of later) {
      expect(outcome._unsafeUnwrapErr()).toMatchObject({ code: "CONTEXT_INCORRECT", family: "usage" });
      expect(outcome._unsafeUnwrapErr().cause).toBe(error);
    }
    await eventually(() => expect(gateway.openSockets).toBe(0));
  }

  it("closed both times: UNABLE_TO_CONNECT, which says that the module may consider it invalid; the client is destroyed", async () => {
    const gateway = await openGateway({ answer: () => undefined, moduleTimeoutMs: 20 });
    const client = await openClient(gateway);
    const error = await failureOf(client);
    expect(error).toMatchObject({ code: "UNABLE_TO_CONNECT", returnCode: -14, family: "communication" });
    expect(error.message).toMatch(/Check that the module accepts this status/);
    expect(gateway.connections).toBe(2);
    expect(gateway.statuses()).toEqual([status, status]);
    await expectDestroyedBy(client, gateway, error);
  });

  it("reset both times: UNABLE_TO_CONNECT; the client is destroyed", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "reset" }, { times: 2 });
    const error = await failureOf(client);
    expect(error).toMatchObject({ code: "UNABLE_TO_CONNECT", cause: { code: "ECONNRESET" } });
    await expectDestroyedBy(client, gateway, error);
  });

  it("timed out both times: TIMEOUT_OCCURRED, not before both timeouts are over; the client is destroyed", async () => {
    const gateway = await openGateway({ moduleTimeoutMs: 20 });
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "stay silent" }, { times: 2 });
    const [error, elapsedMs] = await timed(() => failureOf(client, 60));
    expect(error).toMatchObject({ code: "TIMEOUT_OCCURRED", returnCode: -12, family: "communication" });
    expect(error.message).toMatch(/within 60 ms/);
    expect(elapsedMs).toBeGreaterThanOrEqual(120);
    expect(elapsedMs).toBeLessThan(AT_ONCE_MS); // by default it is 20 s
    await expectDestroyedBy(client, gateway, error);
  });

  it.each([
    [1, "DEVICE_ALREADY_CONNECTED"],
    [2, "MODULE_NOT_SUPPORTED"],
    [3, "DEVICE_TYPE_NOT_SUPPORTED"],
    [4, "HIGHER_PRIORITY_ALREADY_CONNECTED"],
  ])("refused with response type %i when reconnecting: %s; the client is destroyed", async (responseType, code) => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave("connect", { do: "refuse", responseType }, { times: Infinity });
    const error = await failureOf(client);
    expect(error).toMatchObject({ code, family: "connect" });
    expect(gateway.statuses()).toEqual([status]);
    await expectDestroyedBy(client, gateway, error);
  });

  it("with no gateway listening any more: UNABLE_TO_CONNECT with the system's error as cause; the client is destroyed", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    await gateway.stop();
    const error = await failureOf(client);
    expect(error).toMatchObject({ code: "UNABLE_TO_CONNECT", cause: { code: "ECONNREFUSED" } });
    await expectDestroyedBy(client, gateway, error);
  });

  it("with the reconnection unanswered for connectTimeoutMs: UNABLE_TO_CONNECT; the client is destroyed", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway, { connectTimeoutMs: 60 });
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave("accept", { do: "stay silent" });
    const [error, elapsedMs] = await timed(() => failureOf(client));
    expect(elapsedMs).toBeGreaterThanOrEqual(60);
    expect(error).toMatchObject({ code: "UNABLE_TO_CONNECT", family: "communication" });
    await expectDestroyedBy(client, gateway, error);
  });

  it("the last time because the connect response is of an unknown type: COMMAND_INCORRECT; the client lives", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave("connect", { do: "refuse", responseType: 9 });
    expect(await failureOf(client)).toMatchObject({ code: "COMMAND_INCORRECT", family: "communication" });
    expect((await sendStatus(client, status))._unsafeUnwrap()).toBe(client);
  });

  it("the last time with another device's answer: DEVICE_INCORRECT; the client lives", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "close" });
    const foreign = "190000001217" + "0a1208e8071a04746f73742207627574746f6e31" + "120161";
    gateway.misbehave("status", { do: "send", bytes: fromHex(foreign) });
    expect((await failureOf(client)).code).toBe("DEVICE_INCORRECT");
    expect((await sendStatus(client, status))._unsafeUnwrap()).toBe(client);
  });
});
