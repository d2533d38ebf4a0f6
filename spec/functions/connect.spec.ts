import { getEventListeners } from "node:events";
import { afterEach, describe, expect, it } from "@jest/globals";
import { connect, exchange, getCommand, type Config } from "../../lib/index.js";
import { fromHex } from "../support/bytes.js";
import { watchClientSockets } from "../support/client-sockets.js";
import { eventually } from "../support/eventually.js";
import { button, configFor, endAll, keep, openClient, openGateway } from "../support/opened.js";
import { commandOf, connectedOf, RENAMED } from "../testing/wire.js";

afterEach(endAll);

const sockets = watchClientSockets();

/** Whatever it fails with, neither its socket nor its listener is left when the outcome is there. */
async function failureOf(config: Config) {
  const openBefore = sockets.open;
  const { signal } = new AbortController();
  const error = (await connect({ ...config, signal }))._unsafeUnwrapErr();
  expect(sockets.open).toBe(openBefore);
  expect(getEventListeners(signal, "abort")).toEqual([]);
  return error;
}

describe("a connect that succeeds", () => {
  it.each([
    ["an IPv4 address", "127.0.0.1", "127.0.0.1"],
    ["an IPv6 address", "::1", "::1"],
    ["a host name", "localhost", "127.0.0.1"],
  ])("takes %s", async (_, host, listeningOn) => {
    const gateway = await openGateway({ host: listeningOn });
    expect(await openClient(gateway, { host })).toMatchObject({ host, port: gateway.port });
    expect(gateway.devices).toEqual([{ ...button, priority: 0 }]);
  });

  it.each([
    { module: 0, deviceType: 0, deviceRole: "", deviceName: "", priority: 0 },
    { module: 2 ** 31 - 1, deviceType: 2 ** 32 - 1, deviceRole: "rôle", deviceName: "název ☃", priority: 2 ** 32 - 1 },
  ])("tells the gateway everything about the device: %j", async (device) => {
    const gateway = await openGateway();
    const client = await openClient(gateway, { device });
    expect(gateway.devices).toEqual([device]);
    expect(client.device).toEqual(device);
  });

  it("copies the configuration at the call, for reconnections too", async () => {
    const gateway = await openGateway();
    const device = { ...button };
    const config = { host: gateway.host, port: gateway.port, device };
    const connecting = connect(config);
    Object.assign(config, { host: "elsewhere.invalid", port: 1, device: { ...button, module: 7 } });
    device.deviceRole = "changed";
    const client = keep((await connecting)._unsafeUnwrap());
    gateway.kick();
    (await exchange(client, Uint8Array.of(1)))._unsafeUnwrap();
    expect(gateway.received.map((message) => message.device)).toEqual(Array(3).fill({ ...button, priority: 0 }));
    expect(client).toMatchObject({ device: { ...button, priority: 0 }, host: gateway.host });
  });

  it("may get a command before its response, and its response under another name, which is only a label", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "send", bytes: fromHex(commandOf(7) + connectedOf(RENAMED)) });
    const client = await openClient(gateway);
    expect(getCommand(client)._unsafeUnwrap()).toEqual(fromHex("07"));
    expect(client.device.deviceName).toBe("button1");
  });
});

describe("a connect that fails", () => {
  const holder = { ...button, priority: 5 };

  it.each([
    ["MODULE_NOT_SUPPORTED", -16, { ...button, module: 42 }],
    ["DEVICE_TYPE_NOT_SUPPORTED", -17, { ...button, deviceType: 99 }],
    ["DEVICE_ALREADY_CONNECTED", -15, { ...button, priority: 5 }],
    ["HIGHER_PRIORITY_ALREADY_CONNECTED", -18, { ...button, priority: 9 }],
  ])(
    "because the gateway refuses the device returns %s (%i), and does not ask again",
    async (code, returnCode, device) => {
      const gateway = await openGateway({ modules: [{ module: 1000, deviceTypes: [0] }] });
      await openClient(gateway, { device: holder });
      const error = await failureOf(configFor(gateway, { device }));
      expect(error).toMatchObject({ code, returnCode, family: "connect" });
      expect(error.message).toMatch(new RegExp(`^${code}: .*"button1".*127\\.0\\.0\\.1:${gateway.port}`, "u"));
      expect(error).not.toHaveProperty("cause");
      expect(gateway.connections).toBe(2);
      expect(gateway.devices).toEqual([holder]);
    },
  );

  it("because no gateway listens returns UNABLE_TO_CONNECT with the system's error as cause", async () => {
    const gateway = await openGateway();
    await gateway.stop();
    const error = await failureOf(configFor(gateway));
    const cause = { code: "ECONNREFUSED" };
    expect(error).toMatchObject({ code: "UNABLE_TO_CONNECT", returnCode: -14, family: "communication", cause });
    expect(error.message).toMatch(/^UNABLE_TO_CONNECT: .*ECONNREFUSED/);
  });

  // For every fault at every moment, and the limit: spec/faults/fault-matrix.spec.ts.
  it.each([
    ["closes before it reads", "UNABLE_TO_CONNECT", "accept", { do: "close" }],
    ["accepts and never reads", "UNABLE_TO_CONNECT", "accept", { do: "stop reading" }],
    ["would take 750 ms to drip a response in", "UNABLE_TO_CONNECT", "connect", { do: "drip", everyMs: 30 }],
    ["sends what is not protobuf", "NOT_OK", "connect", { do: "send", bytes: fromHex("03000000ffffff") }],
  ] as const)("because the gateway %s returns %s after one attempt", async (_, code, at, fault) => {
    const gateway = await openGateway();
    gateway.misbehave(at, fault);
    const error = await failureOf(configFor(gateway, { connectTimeoutMs: 100 }));
    expect(error).toMatchObject({ code, family: "communication" });
    expect(gateway.connections).toBe(1);
    gateway.kick(); // one that does not read does not see the end of a connection either
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it("because the device is too large for maxMessageBytes returns NOT_OK of family usage, before any I/O", async () => {
    const gateway = await openGateway();
    const error = await failureOf(configFor(gateway, { maxMessageBytes: 21 }));
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage", reason: "too-large" });
    expect(error.message).toMatch(/22 bytes.*21/);
    expect(gateway.connections).toBe(0);
    await openClient(gateway, { maxMessageBytes: 22 });
  });
});
