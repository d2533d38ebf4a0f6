import { afterEach, describe, expect, it } from "@jest/globals";
import { startGateway, type GatewayEvent, type TestingGateway } from "../../lib/testing.js";
import { createEvents } from "../../lib/testing/journal.js";
import { dial, hangUpAll, type RawSocket } from "./raw-socket.js";
import { button, connectButton, fromHex, statusOf } from "./wire.js";

let gateway: TestingGateway;

async function connectedButton(): Promise<RawSocket> {
  const socket = await dial(gateway);
  await connectButton(socket);
  return socket;
}

describe("the events of a gateway", () => {
  afterEach(async () => {
    hangUpAll();
    await gateway.stop();
  });

  it("are connects, statuses and disconnects, in order, until it is stopped", async () => {
    gateway = await startGateway();
    const events = gateway.events();
    const socket = await connectedButton();
    socket.send(statusOf(1));
    await socket.read(29);
    socket.socket.end();
    await socket.ended;
    await gateway.stop();
    const seen: GatewayEvent[] = [];
    for await (const event of events) seen.push(event);
    expect(seen).toEqual([
      { kind: "connect", device: button, response: 0, connection: 1 },
      { kind: "status", device: button, status: fromHex("01"), connection: 1 },
      { kind: "disconnect", device: button, connection: 1, by: "device" },
    ]);
    expect(await gateway.events().next()).toEqual({ done: true, value: undefined });
  });

  it("end when the signal aborts, after what is unread, and when the loop is left", async () => {
    gateway = await startGateway();
    const abort = new AbortController();
    const events = gateway.events({}, { signal: abort.signal });
    await connectedButton();
    abort.abort();
    expect((await events.next()).done).toBe(false);
    expect((await events.next()).done).toBe(true);
    for await (const event of gateway.events({}, { signal: abort.signal })) expect(event).toBe("none");
    expect(() => gateway.events({}, { signal: 1 } as object)).toThrow("options.signal is 1, but must be an object");

    const left = gateway.events();
    gateway.kick();
    for await (const event of left) {
      expect(event).toMatchObject({ kind: "disconnect", by: "gateway" });
      break;
    }
    expect((await left.next()).done).toBe(true);
  });

  it("are reported to those who wait for a device to disconnect", async () => {
    gateway = await startGateway();
    const socket = await connectedButton();
    const gone = gateway.nextDisconnect({ deviceRole: "test" });
    socket.socket.end();
    expect(await gone).toEqual({ kind: "disconnect", device: button, connection: 1, by: "device" });
  });

  it("do not report the end of a device that was refused", async () => {
    gateway = await startGateway();
    await connectedButton();
    const events = gateway.events();
    const refused = await dial(gateway);
    refused.send(`160000000a140a1208e8071a04746573742207627574746f6e31`);
    await refused.ended;
    await gateway.stop();
    const kinds: string[] = [];
    for await (const { kind } of events) kinds.push(kind);
    expect(kinds).toEqual(["connect"]);
  });
});

describe("a reader of events that does not read", () => {
  const status = (length: number): GatewayEvent => ({
    kind: "status",
    device: button,
    status: new Uint8Array(length),
    connection: 1,
  });

  it("gets 10,000 of them, and an error if there is one more", async () => {
    const events = createEvents();
    const reader = events.read();
    for (let count = 0; count < 10_000; count += 1) events.tell(status(1));
    expect((await reader.next()).done).toBe(false);
    events.tell(status(1));
    expect((await reader.next()).done).toBe(false);
    events.tell(status(1));
    events.tell(status(1));
    await expect(reader.next()).rejects.toThrow("more than 10000 events");
    expect((await reader.next()).done).toBe(true);
  });

  it("gets 256 MiB of statuses, and an error if there is one more", async () => {
    const events = createEvents();
    const reader = events.read();
    for (let count = 0; count < 4; count += 1) events.tell(status(64 * 1024 * 1024));
    expect((await reader.next()).done).toBe(false);
    events.tell(status(64 * 1024 * 1024));
    events.tell(status(1));
    await expect(reader.next()).rejects.toThrow("268435456 bytes");
  });
});
