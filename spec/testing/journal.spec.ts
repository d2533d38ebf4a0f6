import { describe, expect, it } from "@jest/globals";
import type { Received } from "../../lib/testing.js";
import { createJournal } from "../../lib/testing/journal.js";
import { button } from "./wire.js";

const MEBIBYTE = 1024 * 1024;

function statusOn(connection: number, status = new Uint8Array(1)): Received {
  return { kind: "status", device: button, status, connection };
}

describe("what the gateway keeps of the messages it received", () => {
  it("is the latest 10,000 messages, however many there were", () => {
    const journal = createJournal();
    for (let count = 1; count <= 35_000; count += 1) journal.record(statusOn(count));
    const connections = journal.latest().map(({ connection }) => connection);
    expect(connections).toHaveLength(10_000);
    expect([connections[0], connections.at(-1)]).toEqual([25_001, 35_000]);
  });

  it("is at most 256 MiB of statuses", () => {
    const journal = createJournal();
    const large = new Uint8Array(100 * MEBIBYTE);
    journal.record({ kind: "connect", device: button, response: 0, connection: 1 });
    for (let count = 2; count <= 5; count += 1) journal.record(statusOn(count, large));
    expect(journal.latest().map(({ connection }) => connection)).toEqual([4, 5]);
  });

  it("is the last one at least", () => {
    const journal = createJournal();
    journal.record(statusOn(1));
    journal.record(statusOn(2, new Uint8Array(300 * MEBIBYTE)));
    expect(journal.latest().map(({ connection }) => connection)).toEqual([2]);
  });
});
