import { getEventListeners } from "node:events";
import { afterEach, describe, expect, it } from "@jest/globals";
import { connect, exchange, getCommand, type Config } from "../../lib/index.js";
import { fromHex } from "../support/bytes.js";
import { watchClientSockets } from "../support/client-sockets.js";
import { eventually } from "../support/eventually.js";
import { button, configFor, endAll, keep, openClient, openGateway } from "../support/opened.js";
import { timed } from "../support/timed.js";

afterEach(endAll);

const sockets = watchClientSockets();

/** Longer than a host name's part may be, so that no name server needs to be asked. */
const UNKNOWN_HOST = `${"x".repeat(64)}.invalid`;

async function failureOf(config: Config) {
  const openBefore = sockets.open;
  const error = (await connect(config))._unsafeUnwrapErr();
  // Whatever it fails with: its socket, if it came to one, is gone when the outcome is there.
  expect(sockets.open).toBe(openBefore);
  return error;
}

describe("a connect that succeeds", () => {
  it.each([
    ["an IPv4 address", "127.0.0.1", "127.0.0.1"],
    ["an IPv6 address", "::1", "::1"],
    ["a host name", "localhost", "127.0.0.1"],
  ])("takes %s", async (_, host, listeningOn) => {
    const gateway = await openGateway({ host: listeningOn });
    const client = await openClient(gateway, { host });
    expect(client.host).toBe(host);
    expect(client.port).toBe(gateway.port);
    expect(gateway.devices).toEqual([{ ...button, priority: 0 }]);
  });

  it("tells the gateway everything about the device", async () => {
    const gateway = await openGateway();
    const device = {
      module: 2 ** 31 - 1,
      deviceType: 2 ** 32 - 1,
      deviceRole: "rôle",
      deviceName: "název ☃",
      priority: 2 ** 32 - 1,
    };
    const client = await openClient(gateway, { device });
    expect(gateway.devices).toEqual([device]);
    expect(client.device).toEqual(device);
  });

  it("takes an empty role and an empty name", async () => {
    const gateway = await openGateway();
    const device = { module: 0, deviceType: 0, deviceRole: "", deviceName: "" };
    await openClient(gateway, { device });
    expect(gateway.devices).toEqual([{ ...device, priority: 0 }]);
  });

  it("sends the connect once and nothing else", async () => {
    const gateway = await openGateway();
    await openClient(gateway);
    expect(gateway.received.map(({ kind }) => kind)).toEqual(["connect"]);
    expect(gateway.connections).toBe(1);
  });

  it("copies the configuration at the call, for reconnections too", async () => {
    const gateway = await openGateway();
    const device = { ...button };
    const config = { host: gateway.host, port: gateway.port, device };
    const connecting = connect(config);
    Object.assign(config, { host: UNKNOWN_HOST, port: 1, device: { ...button, module: 7 } });
    device.deviceRole = "changed";
    const client = keep((await connecting)._unsafeUnwrap());
    gateway.kick();
    (await exchange(client, Uint8Array.of(1)))._unsafeUnwrap();
    expect(gateway.received.map((message) => message.device)).toEqual(Array(3).fill({ ...button, priority: 0 }));
    expect(client.device).toEqual({ ...button, priority: 0 });
    expect(client.host).toBe(gateway.host);
  });

  it("reads a response that comes byte by byte", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "drip" });
    await openClient(gateway);
    expect(gateway.devices).toHaveLength(1);
  });
});

describe("a refusal by the gateway", () => {
  const holder = { ...button, priority: 5 };
  it.each([
    ["MODULE_NOT_SUPPORTED", -16, { ...button, module: 42 }],
    ["DEVICE_TYPE_NOT_SUPPORTED", -17, { ...button, deviceType: 99 }],
    ["DEVICE_ALREADY_CONNECTED", -15, { ...button, priority: 5 }],
    ["HIGHER_PRIORITY_ALREADY_CONNECTED", -18, { ...button, priority: 9 }],
  ])("returns %s (%i), and the socket is closed at once", async (code, returnCode, device) => {
    const gateway = await openGateway({ modules: [{ module: 1000, deviceTypes: [0] }] });
    await openClient(gateway, { device: holder });
    const error = await failureOf(configFor(gateway, { device }));
    expect(error).toMatchObject({ code, returnCode, family: "connect" });
    expect(error.message).toMatch(new RegExp(`^${code}: .*"button1".*127\\.0\\.0\\.1:${gateway.port}`, "u"));
    expect(error).not.toHaveProperty("cause");
    await eventually(() => expect(gateway.openSockets).toBe(1));
    expect(gateway.devices).toEqual([holder]);
  });

  it("is reported at once: a first connect does not ask again", async () => {
    const gateway = await openGateway();
    await openClient(gateway);
    expect((await failureOf(configFor(gateway))).code).toBe("DEVICE_ALREADY_CONNECTED");
    expect(gateway.connections).toBe(2);
  });

  it("does not block the same device's next connect", async () => {
    const gateway = await openGateway({ modules: [] });
    for (let attempt = 1; attempt <= 5; attempt++) {
      expect((await failureOf(configFor(gateway))).code).toBe("MODULE_NOT_SUPPORTED");
      await eventually(() => expect(gateway.openSockets).toBe(0));
    }
  });
});

describe("a connect that fails in transport", () => {
  it("returns UNABLE_TO_CONNECT with the system's error as cause when no gateway listens", async () => {
    const gateway = await openGateway();
    await gateway.stop();
    const error = await failureOf(configFor(gateway));
    expect(error).toMatchObject({
      code: "UNABLE_TO_CONNECT",
      returnCode: -14,
      family: "communication",
      cause: { code: "ECONNREFUSED" },
    });
    expect(error.message).toMatch(/^UNABLE_TO_CONNECT: .*ECONNREFUSED/);
  });

  it("returns UNABLE_TO_CONNECT when the host has no address", async () => {
    const error = await failureOf({ host: UNKNOWN_HOST, port: 1636, device: button });
    expect(error).toMatchObject({ code: "UNABLE_TO_CONNECT", family: "communication" });
    expect((error.cause as NodeJS.ErrnoException).code).toMatch(/^E/);
    expect(error.message).toContain(UNKNOWN_HOST);
  });

  it.each([
    ["closes before it reads", "accept", { do: "close" }],
    ["closes instead of responding", "connect", { do: "close" }],
    ["closes in the middle of its response", "connect", { do: "close", afterBytes: 9 }],
    ["resets instead of responding", "connect", { do: "reset" }],
  ] as const)("returns UNABLE_TO_CONNECT when the gateway %s", async (_, at, fault) => {
    const gateway = await openGateway();
    gateway.misbehave(at, fault);
    expect(await failureOf(configFor(gateway))).toMatchObject({ code: "UNABLE_TO_CONNECT", family: "communication" });
    expect(gateway.connections).toBe(1);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it.each([
    ["accepts and stays silent", "accept", { do: "stay silent" }],
    ["never reads", "accept", { do: "stop reading" }],
    ["gives half a response", "connect", { do: "stay silent", afterBytes: 10 }],
  ] as const)("returns UNABLE_TO_CONNECT after connectTimeoutMs when the gateway %s", async (_, at, fault) => {
    const gateway = await openGateway();
    gateway.misbehave(at, fault);
    const [error, elapsedMs] = await timed(() => failureOf(configFor(gateway, { connectTimeoutMs: 80 })));
    expect(error).toMatchObject({ code: "UNABLE_TO_CONNECT", family: "communication" });
    expect(error.message).toMatch(/in time/);
    expect(elapsedMs).toBeGreaterThanOrEqual(80);
  });

  it("leaves no socket open after connectTimeoutMs", async () => {
    const gateway = await openGateway();
    gateway.misbehave("accept", { do: "stay silent" });
    expect((await failureOf(configFor(gateway, { connectTimeoutMs: 20 }))).code).toBe("UNABLE_TO_CONNECT");
    await eventually(() => expect([gateway.connections, gateway.openSockets]).toEqual([1, 0]));
  });

  it("counts a response that is dripping in against the same connectTimeoutMs", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "drip", everyMs: 30 });
    // Whole, it would take 750 ms and connect the device.
    expect((await failureOf(configFor(gateway, { connectTimeoutMs: 100 }))).code).toBe("UNABLE_TO_CONNECT");
  });
});

// The button is 08e807 1a0474657374 2207627574746f6e31: module 1000, role "test", name "button1".
describe("a connect response that breaks the protocol", () => {
  it.each([
    ["names another role", "160000000a14121208e8071a04746f73742207627574746f6e31"],
    ["names another module", "160000000a14121208e9071a04746573742207627574746f6e31"],
    ["names another type", "180000000a16121408e80710011a04746573742207627574746f6e31"],
    ["names another priority", "180000000a16121408e8071a04746573742207627574746f6e312801"],
    ["names no device", "020000000a00"],
  ])("returns DEVICE_INCORRECT if it %s", async (_, response) => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "send", bytes: fromHex(response) });
    const error = await failureOf(configFor(gateway));
    expect(error).toMatchObject({ code: "DEVICE_INCORRECT", returnCode: -20, family: "communication" });
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it.each([
    ["is of an unknown type", "180000000a160809121208e8071a04746573742207627574746f6e31"],
    ["is not protobuf", "03000000ffffff"],
    ["holds fields of no known number only", "020000007801"],
    ["is of length 0", "00000000"],
    ["announces more than 16 MiB", "01000001"],
  ])("returns NOT_OK of family communication if it %s", async (_, response) => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "send", bytes: fromHex(response) });
    const error = await failureOf(configFor(gateway));
    expect(error).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "communication" });
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it("may come after a command, which is the latest one at once", async () => {
    const command = "190000001217" + "0a1208e8071a04746573742207627574746f6e31" + "120161";
    const accepted = "160000000a141212" + "08e8071a04746573742207627574746f6e31";
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "send", bytes: fromHex(command + accepted) });
    const client = await openClient(gateway);
    expect(getCommand(client)._unsafeUnwrap()).toEqual(fromHex("61"));
  });

  it("is accepted whatever device name it has: the name is a label", async () => {
    const gateway = await openGateway();
    const renamed = "100000000a0e120c08e8071a0474657374220162";
    gateway.misbehave("connect", { do: "send", bytes: fromHex(renamed) });
    const client = await openClient(gateway);
    expect(client.device.deviceName).toBe("button1");
  });

  it("returns NOT_OK if it is larger than maxMessageBytes", async () => {
    const gateway = await openGateway();
    const padded = `1d0000000a1b121208e8071a04746573742207627574746f6e317a056161616161`;
    gateway.misbehave("connect", { do: "send", bytes: fromHex(padded) });
    const error = await failureOf(configFor(gateway, { maxMessageBytes: 28 }));
    expect(error).toMatchObject({ code: "NOT_OK", family: "communication" });
    expect(error.message).toContain("28");
  });
});

describe("a device too large for maxMessageBytes", () => {
  it("returns NOT_OK of family usage, before any I/O", async () => {
    const gateway = await openGateway();
    const error = await failureOf(configFor(gateway, { maxMessageBytes: 21 }));
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect(error.message).toMatch(/22 bytes.*21/);
    expect(gateway.connections).toBe(0);
  });

  it("is not one when its message has exactly that many bytes", async () => {
    const gateway = await openGateway();
    await openClient(gateway, { maxMessageBytes: 22 });
    expect(gateway.devices).toHaveLength(1);
  });
});

describe("the signal of a connect", () => {
  it("aborted before the call: NOT_OK with its reason as cause, and no I/O", async () => {
    const gateway = await openGateway();
    const reason = new Error("not today");
    const error = await failureOf(configFor(gateway, { signal: AbortSignal.abort(reason) }));
    expect(error).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "usage" });
    expect(error.cause).toBe(reason);
    expect(gateway.connections).toBe(0);
  });

  it.each([
    ["while TCP connects", "accept"],
    ["while the gateway is silent", "connect"],
  ] as const)("aborted %s: NOT_OK with its reason as cause, and nothing is left open", async (_, at) => {
    const gateway = await openGateway();
    gateway.misbehave(at, { do: "stay silent" });
    const controller = new AbortController();
    const asked = gateway.nextConnect();
    const connecting = connect(configFor(gateway, { signal: controller.signal }));
    if (at === "connect") await asked;
    controller.abort("enough");
    const error = (await connecting)._unsafeUnwrapErr();
    expect(sockets.open).toBe(0);
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage", cause: "enough" });
    await eventually(() => expect(gateway.openSockets).toBe(0));
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  it("has no effect on the client afterwards, and keeps no listener", async () => {
    const gateway = await openGateway();
    const controller = new AbortController();
    const client = await openClient(gateway, { signal: controller.signal });
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
    controller.abort();
    (await exchange(client, Uint8Array.of(1)))._unsafeUnwrap();
    gateway.kick();
    (await exchange(client, Uint8Array.of(2)))._unsafeUnwrap();
  });

  it("keeps no listener after a connect that failed", async () => {
    const gateway = await openGateway({ modules: [] });
    const { signal } = new AbortController();
    expect((await failureOf(configFor(gateway, { signal }))).code).toBe("MODULE_NOT_SUPPORTED");
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});
