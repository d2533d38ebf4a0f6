import { afterEach, describe, expect, it } from "@jest/globals";
import { exchange, getCommand, sendStatus } from "../../lib/index.js";
import { fromHex, hex, utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { endAll, openButton } from "../support/opened.js";
import { commandOf } from "../testing/wire.js";

afterEach(endAll);

const status = utf8('{"pressed":true}');

it("sendStatus returns the same handle, so that calls can be chained", async () => {
  const { gateway, client } = await openButton({ answer: () => utf8('{"lit_up":true}') });
  expect((await sendStatus(client, status, { timeoutMs: 10_000 }))._unsafeUnwrap()).toBe(client);
  const command = await sendStatus(client, status).andThen(getCommand);
  expect(hex(command._unsafeUnwrap())).toBe("7b226c69745f7570223a747275657d");
  expect(gateway.statuses()).toEqual([status, status]);
});

// For every fault at every moment: spec/faults/fault-matrix.spec.ts.
it.each([
  ["is for no device", "050000001203120161", "DEVICE_INCORRECT"],
  ["cuts its command short", commandOf(0x61).replace("120161", "120561"), "COMMAND_INCORRECT"],
])(
  "an answer that breaks the protocol because it %s is no command; nothing is resent, and the next status reconnects",
  async (_, answer, code) => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "send", bytes: fromHex(answer) });
    expect((await sendStatus(client, status))._unsafeUnwrapErr()).toMatchObject({ code, family: "communication" });
    expect(getCommand(client)._unsafeUnwrapErr().code).toBe("NO_COMMAND_AVAILABLE");
    await eventually(() => expect(gateway.openSockets).toBe(0));
    expect((await exchange(client, Uint8Array.of(7)))._unsafeUnwrap()).toEqual(Uint8Array.of(7));
    expect(gateway.connections).toBe(2);
    expect(gateway.statuses()).toEqual([status, Uint8Array.of(7)]);
  },
);

describe("an attempt that fails in transport", () => {
  it.each([
    ["is closed in the middle of the answer", { do: "close", afterBytes: 10 }],
    ["times out", { do: "stay silent" }],
  ] as const)("because it %s: the device reconnects once, and the status is sent again", async (_, fault) => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", fault);
    expect((await sendStatus(client, status, { timeoutMs: 1_000 }))._unsafeUnwrap()).toBe(client);
    expect(gateway.statuses()).toEqual([status, status]);
    expect(gateway.received.at(-1)).toMatchObject({ kind: "status", connection: 2 });
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
});

it.each([
  ["timed out", "TIMEOUT_OCCURRED", { do: "stay silent" }, 2, undefined],
  ["refused with type 1", "DEVICE_ALREADY_CONNECTED", { do: "close" }, 1, { do: "refuse", responseType: 1 }],
  ["refused with type 2", "MODULE_NOT_SUPPORTED", { do: "close" }, 1, { do: "refuse", responseType: 2 }],
] as const)(
  "a status that fails twice destroys the client, and its error is the cause of all later ones: %s: %s",
  async (_, code, fault, times, ofReconnection) => {
    const { gateway, client } = await openButton({ moduleTimeoutMs: 20 }, { connectTimeoutMs: 200 });
    gateway.misbehave("status", fault, { times });
    if (ofReconnection !== undefined) gateway.misbehave("connect", ofReconnection, { times: Infinity });
    const error = (await sendStatus(client, status, { timeoutMs: 200 }))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code, family: ofReconnection === undefined ? "communication" : "connect" });
    expect(gateway.statuses()).toEqual(Array(times).fill(status));
    for (const outcome of [await sendStatus(client, status), await exchange(client, status), getCommand(client)]) {
      expect(outcome._unsafeUnwrapErr()).toMatchObject({ code: "CONTEXT_INCORRECT", family: "usage" });
      expect(outcome._unsafeUnwrapErr().cause).toBe(error);
    }
    await eventually(() => expect(gateway.openSockets).toBe(0));
  },
);
