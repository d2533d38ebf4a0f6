import { describe, expect, it } from "@jest/globals";
import { jsonOf, lineOf, type WatchEvent } from "../../lib/cli/watch-events.js";
import { InternalClientError } from "../../lib/index.js";
import { utf8 } from "../support/bytes.js";

const time = new Date(2026, 0, 2, 3, 4, 5, 67);
const error = new InternalClientError("TIMEOUT_OCCURRED", { message: "no command\ncame" });

const events: [event: WatchEvent, line: string | undefined, json: Record<string, unknown>][] = [
  [{ time, event: "connect" }, "connected", {}],
  [{ time, event: "status", status: utf8("a") }, undefined, { bytes: 1, hex: "61", text: "a" }],
  [
    { time, event: "command", kind: "answer", command: utf8("on"), roundTripMs: 1.23456 },
    "answer in 1.2 ms: on",
    { kind: "answer", roundTripMs: 1.235, bytes: 2, hex: "6f6e", text: "on" },
  ],
  [
    { time, event: "command", kind: "push", command: utf8(""), roundTripMs: undefined },
    "push: (empty)",
    { kind: "push", bytes: 0, hex: "", text: "" },
  ],
  [{ time, event: "drop", reason: "it\nbroke" }, "disconnected: it\\nbroke", { reason: "it\nbroke" }],
  [{ time, event: "reconnect" }, "reconnected", {}],
  [
    { time, event: "failure", error },
    "failed: TIMEOUT_OCCURRED: no command\\u{a}came",
    {
      code: "TIMEOUT_OCCURRED",
      returnCode: -12,
      family: "communication",
      message: "TIMEOUT_OCCURRED: no command\\u{a}came",
    },
  ],
  [{ time, event: "unreadable", problem: "gone" }, "not sent: gone", { message: "gone" }],
  [{ time, event: "retry", afterMs: 2_000 }, "connecting anew in 2 s", { afterMs: 2_000 }],
];

describe("what happens to a device that is watched", () => {
  it.each(events)("is one line for people: %j", (event, line) => {
    expect(lineOf(event, false)).toBe(line === undefined ? undefined : `03:04:05.067 ${line}`);
  });

  it.each(events)("is one line for scripts: %j", (event, _line, json) => {
    const written = jsonOf(event);
    expect(written).not.toContain("\n");
    expect(JSON.parse(written)).toEqual({ time: time.toISOString(), event: event.event, ...json });
  });

  it("shows payloads as hex where that is asked for", () => {
    const event: WatchEvent = { time, event: "command", kind: "push", command: utf8("on"), roundTripMs: undefined };
    expect(lineOf(event, true)).toBe("03:04:05.067 push: 6f6e");
  });
});
