import { afterEach, describe, expect, it } from "@jest/globals";
import type { GatewayEvent, Received } from "../../lib/testing.js";
import { createEvents, createJournal } from "../../lib/testing/journal.js";
import { openGateway } from "../support/opened.js";
import { connectDevice, dial, hangUpAll } from "./raw-socket.js";
import { button, commandOf, CONNECT, fromHex, refused, statusOf } from "./wire.js";

afterEach(hangUpAll);

const MEBIBYTE = 1024 * 1024;

function statusOn(connection: number, length = 1): Received {
  return { kind: "status", device: button, status: new Uint8Array(length), connection };
}

describe("what the gateway keeps of the messages it received", () => {
  /** Each message is on a connection of its own. */
  function kept(...messages: Received[]): number[] {
    const journal = createJournal();
    for (const message of messages) journal.record(message);
    return journal.latest().map(({ connection }) => connection);
  }

  it("is the latest 10,000 messages, however many there were", () => {
    const connections = kept(...Array.from({ length: 35_000 }, (_, index) => statusOn(index + 1)));
    expect(connections).toHaveLength(10_000);
    expect([connections[0], connections.at(-1)]).toEqual([25_001, 35_000]);
  });

  it("is at most 256 MiB of statuses", () => {
    const connect: Received = { kind: "connect", device: button, response: 0, connection: 1 };
    expect(kept(connect, ...[2, 3, 4, 5].map((count) => statusOn(count, 100 * MEBIBYTE)))).toEqual([4, 5]);
  });

  it("is the last one at least", () => {
    expect(kept(statusOn(1), statusOn(2, 300 * MEBIBYTE))).toEqual([2]);
  });
});

describe("the events of a gateway", () => {
  it("are connects, statuses and disconnects, in order, until it is stopped; not the end of a refused device", async () => {
    const gateway = await openGateway();
    const events = gateway.events();
    const gone = gateway.nextDisconnect({ deviceRole: "test" });
    const socket = await connectDevice(gateway);
    const second = await dial(gateway);
    await second.exchanges(CONNECT, refused(1));
    await second.ended;
    await socket.exchanges(statusOf(1), commandOf(1));
    socket.socket.end();
    await socket.ended;
    const disconnect = { kind: "disconnect", device: button, connection: 1, by: "device" };
    expect(await gone).toEqual(disconnect);
    await gateway.stop();
    const seen: GatewayEvent[] = [];
    for await (const event of events) seen.push(event);
    expect(seen).toEqual([
      { kind: "connect", device: button, response: 0, connection: 1 },
      { kind: "connect", device: button, response: 1, connection: 2 },
      { kind: "status", device: button, status: fromHex("01"), connection: 1 },
      disconnect,
    ]);
    expect(await gateway.events().next()).toEqual({ done: true, value: undefined });
  });

  it("end when the signal aborts, after what is unread, and when the loop is left", async () => {
    const gateway = await openGateway();
    const abort = new AbortController();
    const events = gateway.events({}, { signal: abort.signal });
    await connectDevice(gateway);
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
});

it.each([
  ["10,000 of them", 10_000, 1, "more than 10000 events"],
  ["256 MiB of statuses", 4, 64 * MEBIBYTE, "268435456 bytes"],
])(
  "a reader of events that does not read gets %s, and an error if there is one more",
  async (_what, count, length, message) => {
    const events = createEvents();
    const reader = events.read();
    for (let told = 0; told < count; told += 1) events.tell(statusOn(1, length));
    expect((await reader.next()).done).toBe(false);
    events.tell(statusOn(1, length));
    expect((await reader.next()).done).toBe(false);
    events.tell(statusOn(1, length));
    events.tell(statusOn(1));
    await expect(reader.next()).rejects.toThrow(message);
    expect((await reader.next()).done).toBe(true);
  },
);
