import { afterEach, describe, expect, it } from "@jest/globals";
import { exchange, getCommand, sendStatus } from "../../lib/index.js";
import { utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { endAll, openButton } from "../support/opened.js";

afterEach(endAll);

const one = Uint8Array.of(1);
const two = Uint8Array.of(2);
const pushed = utf8("pushed");

// Which messages are no commands: spec/faults/fault-matrix.spec.ts.
describe("getCommand", () => {
  it("returns NO_COMMAND_AVAILABLE before any command has come", async () => {
    const { client } = await openButton();
    const error = getCommand(client)._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NO_COMMAND_AVAILABLE", returnCode: -13, family: "usage" });
    expect(error.message).toMatch(/^NO_COMMAND_AVAILABLE: .*"button1"/);
  });

  it("returns the latest command, as often as it is called, without I/O", async () => {
    const { gateway, client } = await openButton();
    for (const status of [one, two]) (await sendStatus(client, status))._unsafeUnwrap();
    const command = getCommand(client)._unsafeUnwrap();
    expect(command).toEqual(two);
    expect(getCommand(client)._unsafeUnwrap()).toBe(command);
    expect(gateway.received).toHaveLength(3);
  });

  it("returns a pushed command even before the first status, under whatever name of the device, and an empty one too", async () => {
    const { gateway, client } = await openButton();
    for (const [command, device] of [
      [pushed, {}],
      [two, { deviceName: "another name" }],
      [new Uint8Array(0), {}],
    ] as const) {
      gateway.push(command, {}, device);
      await eventually(() => expect(getCommand(client)._unsafeUnwrap()).toEqual(command));
    }
  });

  it("returns the later one of a status's answer and a push after it", async () => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "merge", with: pushed, order: "after" });
    expect((await exchange(client, one))._unsafeUnwrap()).toEqual(one);
    expect(getCommand(client)._unsafeUnwrap()).toEqual(pushed);
  });

  it("keeps it through a reconnection, even one after which the status fails", async () => {
    const { gateway, client } = await openButton();
    const command = (await exchange(client, one))._unsafeUnwrap();
    gateway.kick();
    await eventually(() => expect(gateway.openSockets).toBe(0));
    expect(getCommand(client)._unsafeUnwrap()).toBe(command);
    gateway.misbehave("status", { do: "send", bytes: new Uint8Array(4) });
    expect((await sendStatus(client, two))._unsafeUnwrapErr().code).toBe("COMMAND_INCORRECT");
    expect(gateway.connections).toBe(2);
    expect(getCommand(client)._unsafeUnwrap()).toBe(command);
  });
});
