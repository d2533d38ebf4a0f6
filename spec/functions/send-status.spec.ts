import { afterEach, describe, expect, it } from "@jest/globals";
import { connect, exchange, getCommand, sendStatus } from "../../lib/index.js";
import { fromHex, hex, utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { button, configFor, endAll, openButton, openGateway } from "../support/opened.js";

afterEach(endAll);

const status = utf8('{"pressed":true}');

describe("sendStatus", () => {
  it("returns the same handle, so that calls can be chained", async () => {
    const { gateway, client } = await openButton({ answer: () => utf8('{"lit_up":true}') });
    expect((await sendStatus(client, status, { timeoutMs: 10_000 }))._unsafeUnwrap()).toBe(client);
    const command = await sendStatus(client, status).andThen(getCommand);
    expect(hex(command._unsafeUnwrap())).toBe("7b226c69745f7570223a747275657d");
    expect(gateway.statuses()).toEqual([status, status]);
  });

  it("is not called in a pipeline that has failed before", async () => {
    const gateway = await openGateway({ modules: [] });
    const command = await connect(configFor(gateway))
      .andThen((client) => sendStatus(client, status))
      .andThen(getCommand);
    expect(command._unsafeUnwrapErr().code).toBe("MODULE_NOT_SUPPORTED");
    expect(gateway.statuses()).toEqual([]);
  });
});

// The button is 08e807 1a0474657374 2207627574746f6e31: module 1000, role "test", name "button1".
describe("an answer that breaks the protocol", () => {
  it.each([
    ["is for another role", "190000001217" + "0a1208e8071a04746f73742207627574746f6e31" + "120161", "DEVICE_INCORRECT"],
    ["is for no device", "050000001203120161", "DEVICE_INCORRECT"],
    ["is a connect response", "160000000a141212" + "08e8071a04746573742207627574746f6e31", "COMMAND_INCORRECT"],
    [
      "cuts its command short",
      "190000001217" + "0a1208e8071a04746573742207627574746f6e31" + "120561",
      "COMMAND_INCORRECT",
    ],
    ["is of length 0", "00000000", "COMMAND_INCORRECT"],
  ])("because it %s is no command; nothing is resent, and the next status reconnects", async (_, answer, code) => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "send", bytes: fromHex(answer) });
    expect((await sendStatus(client, status))._unsafeUnwrapErr()).toMatchObject({ code, family: "communication" });
    expect(getCommand(client)._unsafeUnwrapErr().code).toBe("NO_COMMAND_AVAILABLE");
    await eventually(() => expect(gateway.openSockets).toBe(0));
    expect((await exchange(client, Uint8Array.of(7)))._unsafeUnwrap()).toEqual(Uint8Array.of(7));
    expect(gateway.connections).toBe(2);
    expect(gateway.statuses()).toEqual([status, Uint8Array.of(7)]);
  });
});

describe("an attempt that fails in transport", () => {
  it.each([
    ["is closed", { do: "close" }],
    ["is reset", { do: "reset" }],
    ["is closed in the middle of the answer", { do: "close", afterBytes: 10 }],
    ["times out", { do: "stay silent" }],
  ] as const)("because it %s: the device reconnects once, and the status is sent again", async (_, fault) => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", fault);
    expect((await sendStatus(client, status, { timeoutMs: 1_000 }))._unsafeUnwrap()).toBe(client);
    expect(gateway.statuses()).toEqual([status, status]);
    const last = { kind: "status", device: { ...button, priority: 0 }, status, connection: gateway.connections };
    expect(gateway.received.at(-1)).toEqual(last);
    await eventually(() => expect(gateway.openSockets).toBe(1));
  });

  it("does not count when the connection was lost before: one reconnection, and the status is sent once", async () => {
    const { gateway, client } = await openButton();
    gateway.kick();
    await eventually(() => expect(gateway.openSockets).toBe(0));
    (await sendStatus(client, status))._unsafeUnwrap();
    expect(gateway.connections).toBe(2);
    expect(gateway.statuses()).toEqual([status]);
  });

  it("is followed by as many connects as the gateway takes to notice that the old connection is lost", async () => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave("connect", { do: "refuse", responseType: 1 }, { times: 3 });
    (await sendStatus(client, status))._unsafeUnwrap();
    expect(gateway.connections).toBe(5);
    expect(gateway.devices).toHaveLength(1);
  });
});

describe("a status that fails twice destroys the client, and its error is the cause of all later ones:", () => {
  const once = { times: 1 };
  const twice = { times: 2 };
  const always = { times: Infinity };

  // For every fault at every moment: spec/faults/fault-matrix.spec.ts.
  it.each([
    ["closed", "UNABLE_TO_CONNECT", { do: "close" }, twice, undefined],
    ["reset", "UNABLE_TO_CONNECT", { do: "reset" }, twice, undefined],
    ["timed out", "TIMEOUT_OCCURRED", { do: "stay silent" }, twice, undefined],
    ["refused with type 1", "DEVICE_ALREADY_CONNECTED", { do: "close" }, once, { do: "refuse", responseType: 1 }],
    ["refused with type 2", "MODULE_NOT_SUPPORTED", { do: "close" }, once, { do: "refuse", responseType: 2 }],
    ["unanswered", "UNABLE_TO_CONNECT", { do: "close" }, once, { do: "stay silent" }],
  ] as const)("%s: %s", async (_, code, fault, times, ofReconnection) => {
    const { gateway, client } = await openButton({ moduleTimeoutMs: 20 }, { connectTimeoutMs: 200 });
    gateway.misbehave("status", fault, times);
    if (ofReconnection !== undefined) gateway.misbehave("connect", ofReconnection, always);
    const error = (await sendStatus(client, status, { timeoutMs: 200 }))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code, family: ofReconnection?.do === "refuse" ? "connect" : "communication" });
    expect(gateway.statuses()).toEqual(Array(times.times).fill(status));
    for (const outcome of [await sendStatus(client, status), await exchange(client, status), getCommand(client)]) {
      expect(outcome._unsafeUnwrapErr()).toMatchObject({ code: "CONTEXT_INCORRECT", family: "usage" });
      expect(outcome._unsafeUnwrapErr().cause).toBe(error);
    }
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it("with no gateway that listens any more: UNABLE_TO_CONNECT with the system's error as cause", async () => {
    const { gateway, client } = await openButton();
    await gateway.stop();
    const error = (await sendStatus(client, status))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "UNABLE_TO_CONNECT", cause: { code: "ECONNREFUSED" } });
    expect(getCommand(client)._unsafeUnwrapErr().cause).toBe(error);
  });
});
