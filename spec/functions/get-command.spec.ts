import { afterEach, describe, expect, it } from "@jest/globals";
import { destroy, exchange, getCommand, sendStatus } from "../../lib/index.js";
import { fromHex, hex, utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { endAll, openClient, openGateway } from "../support/opened.js";

afterEach(endAll);

const one = Uint8Array.of(1);
const two = Uint8Array.of(2);

describe("getCommand", () => {
  it("returns NO_COMMAND_AVAILABLE before any command has come", async () => {
    const client = await openClient(await openGateway());
    const error = getCommand(client)._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NO_COMMAND_AVAILABLE", returnCode: -13, family: "usage" });
    expect(error.message).toMatch(/^NO_COMMAND_AVAILABLE: .*"button1"/);
  });

  it("returns the latest command, as often as it is called, without I/O", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    (await sendStatus(client, one))._unsafeUnwrap();
    (await sendStatus(client, two))._unsafeUnwrap();
    const command = getCommand(client)._unsafeUnwrap();
    expect(command).toEqual(two);
    expect(getCommand(client)._unsafeUnwrap()).toBe(command);
    expect(gateway.received).toHaveLength(3);
  });

  it("returns a pushed command, even before the first status", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    expect(gateway.push(utf8("pushed"))).toBe(1);
    await eventually(() => expect(getCommand(client)._unsafeUnwrap()).toEqual(utf8("pushed")));
  });

  it("returns one that is pushed right after the connect response", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "merge", with: utf8("pushed") });
    const client = await openClient(gateway);
    expect(getCommand(client)._unsafeUnwrap()).toEqual(utf8("pushed"));
  });

  it("returns one that is pushed under another name of the device", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.push(utf8("pushed"), {}, { deviceName: "another name" });
    await eventually(() => expect(getCommand(client)._unsafeUnwrap()).toEqual(utf8("pushed")));
  });

  it("returns an empty command: it is a command", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    (await sendStatus(client, one))._unsafeUnwrap();
    gateway.push(new Uint8Array(0));
    await eventually(() => expect(getCommand(client)._unsafeUnwrap()).toEqual(new Uint8Array(0)));
  });

  it("returns the later one of a status's answer and a push after it", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "merge", with: utf8("pushed"), order: "after" });
    expect((await exchange(client, one))._unsafeUnwrap()).toEqual(one);
    expect(getCommand(client)._unsafeUnwrap()).toEqual(utf8("pushed"));
  });

  it("keeps it through a reconnection", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const command = (await exchange(client, one))._unsafeUnwrap();
    gateway.kick();
    await eventually(() => expect(gateway.openSockets).toBe(0));
    expect(getCommand(client)._unsafeUnwrap()).toBe(command);
    gateway.misbehave("status", { do: "send", bytes: new Uint8Array(4) });
    expect((await sendStatus(client, two))._unsafeUnwrapErr().code).toBe("COMMAND_INCORRECT");
    expect(gateway.connections).toBe(2);
    expect(getCommand(client)._unsafeUnwrap()).toBe(command);
  });

  // The device is 08e807 1a0474657374 2207627574746f6e31, once with the role "tost".
  it("never returns a command for another device, which has no effect while no status is in flight", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const foreign = "190000001217" + "0a1208e8071a04746f73742207627574746f6e31" + "120161";
    const own = "190000001217" + "0a1208e8071a04746573742207627574746f6e31" + "120162";
    gateway.send(fromHex(foreign + own + foreign));
    await eventually(() => expect(hex(getCommand(client)._unsafeUnwrap())).toBe("62"));
    (await exchange(client, two))._unsafeUnwrap();
    expect(gateway.connections).toBe(1);
  });

  it.each([
    ["is not protobuf", "03000000ffffff"],
    ["is a second connect response", "160000000a14121208e8071a04746573742207627574746f6e31"],
    ["is for no device", "050000001203120161"],
    ["is of length 0", "00000000"],
  ])("never returns what %s, and what follows on that connection counts for nothing", async (_, broken) => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const own = "190000001217" + "0a1208e8071a04746573742207627574746f6e31" + "120162";
    gateway.send(fromHex(broken + own));
    await eventually(() => expect(gateway.openSockets).toBe(0));
    expect(getCommand(client)._unsafeUnwrapErr().code).toBe("NO_COMMAND_AVAILABLE");
    expect((await exchange(client, two))._unsafeUnwrap()).toEqual(two);
    expect(gateway.connections).toBe(2);
  });

  it("returns CONTEXT_INCORRECT once the client is destroyed", async () => {
    const client = await openClient(await openGateway());
    (await sendStatus(client, one))._unsafeUnwrap();
    await destroy(client);
    const error = getCommand(client)._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "CONTEXT_INCORRECT", returnCode: -11, family: "usage" });
    expect(error).not.toHaveProperty("cause");
  });
});
