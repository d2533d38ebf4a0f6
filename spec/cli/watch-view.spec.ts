import { describe, expect, it } from "@jest/globals";
import {
  emptyView,
  ending,
  jsonLineOf,
  render,
  viewAfter,
  wordsOf,
  type View,
  type Watched,
  type WatchEvent,
} from "../../lib/cli/watch-view.js";
import { InternalClientError } from "../../lib/index.js";
import { utf8 } from "../support/bytes.js";
import { payloadsWith } from "./surroundings.js";

const device = { module: 1234, deviceType: 0, deviceRole: "left", deviceName: "button1", priority: 0 };
const watched: Watched = { device, host: "127.0.0.1", port: 1636, everyMs: 5_000, payloads: payloadsWith() };

/** The time of day is one thing, the time that passes another. */
function at(second: number) {
  return { time: new Date(2026, 0, 2, 3, 4, second), at: second * 1_000 };
}

function answer(second: number, roundTripMs: number): WatchEvent {
  return { ...at(second), event: "command", kind: "answer", command: utf8("on"), roundTripMs };
}

function after(...events: WatchEvent[]) {
  return events.reduce((view, event) => viewAfter(view, event, watched), emptyView);
}

function shown(view: View, second: number, columns = 100, rows = 20) {
  return render(view, watched, second * 1_000, columns, rows);
}

const error = new InternalClientError("TIMEOUT_OCCURRED", { message: "no command\ncame" });
const when = { time: new Date(2026, 0, 2, 3, 4, 5, 67), at: 0 };
const reason = "it\nbroke\u202e";
const message = "TIMEOUT_OCCURRED: no command\\u{a}came";

const events: [event: WatchEvent, words: string, json: Record<string, unknown>][] = [
  [{ ...when, event: "connect" }, "connected", {}],
  [{ ...when, event: "status", status: utf8("a") }, 'status: "a"', { bytes: 1, hex: "61", text: "a" }],
  [
    { ...when, event: "command", kind: "answer", command: utf8("on"), roundTripMs: 1.23456 },
    'answer in 1.2 ms: "on"',
    { kind: "answer", roundTripMs: 1.235, bytes: 2, hex: "6f6e", text: "on" },
  ],
  [
    { ...when, event: "command", kind: "push", command: utf8(""), roundTripMs: undefined },
    "push: (empty)",
    { kind: "push", bytes: 0, hex: "", text: "" },
  ],
  [{ ...when, event: "drop", reason }, "disconnected: it\\nbroke\\u{202e}", { reason }],
  [{ ...when, event: "reconnect" }, "reconnected", {}],
  [
    { ...when, event: "failure", error },
    `failed: ${message}`,
    { code: "TIMEOUT_OCCURRED", returnCode: -12, reason: "timed-out", family: "communication", message },
  ],
  [{ ...when, event: "unreadable", problem: "gone" }, "not sent: gone", { message: "gone" }],
  [{ ...when, event: "retry", afterMs: 2_000 }, "connecting again in 2 s", { afterMs: 2_000 }],
];

it.each(events)(
  "an event of a watched device is one line for people, and one for scripts: %j",
  (event, words, json) => {
    expect(wordsOf(event, watched)).toBe(words);
    const written = jsonLineOf(event, watched);
    expect(written).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(written)).toEqual({ time: when.time.toISOString(), event: event.event, ...json });
  },
);

describe("the live view", () => {
  it("shows a device that is connecting", () => {
    expect(shown(emptyView, 0)).toEqual([
      'device      "button1" (module 1234, type 0, role "left", priority 0)',
      "gateway     127.0.0.1:1636",
      "state       connecting",
      "statuses    0 sent, one every 5 s; failures 0",
      "commands    answers 0, pushes 0",
      "round trip  none yet",
      "reconnects  0; connected again 0",
    ]);
  });

  it("shows what has happened since, and below it the latest lines", () => {
    const view = after(
      { ...at(1), event: "connect" },
      { ...at(1), event: "status", status: utf8("a") },
      answer(2, 4),
      { ...at(3), event: "command", kind: "push", command: utf8("off"), roundTripMs: undefined },
      { ...at(4), event: "drop", reason: "closed" },
      { ...at(5), event: "reconnect" },
      answer(5, 200),
      { ...at(6), event: "failure", error },
      { ...at(6), event: "unreadable", problem: "gone" },
      { ...at(6), event: "retry", afterMs: 1_000 },
      { ...at(7), event: "connect" },
    );
    expect(shown(view, 17, 100, 30)).toEqual([
      'device      "button1" (module 1234, type 0, role "left", priority 0)',
      "gateway     127.0.0.1:1636",
      "state       connected for 10 s",
      "statuses    1 sent, one every 5 s; failures 1",
      "commands    answers 2, pushes 1",
      "round trip  200 ms (lowest 4.0 ms, average 102 ms, highest 200 ms)",
      "reconnects  1; connected again 1",
      "",
      "03:04:01.000 connected",
      '03:04:02.000 answer in 4.0 ms: "on"',
      '03:04:03.000 push: "off"',
      "03:04:04.000 disconnected: closed",
      "03:04:05.000 reconnected",
      '03:04:05.000 answer in 200 ms: "on"',
      "03:04:06.000 failed: TIMEOUT_OCCURRED: no command\\u{a}came",
      "03:04:06.000 not sent: gone",
      "03:04:06.000 connecting again in 1 s",
      "03:04:07.000 connected",
    ]);
  });

  const DROP: WatchEvent = { ...at(2), event: "drop", reason: "" };
  const RETRY: WatchEvent = { ...at(1), event: "retry", afterMs: 4_000 };
  const LATER: WatchEvent = { time: new Date(2030, 0, 1), at: 1_000, event: "connect" };

  it.each<[what: string, event: WatchEvent, second: number, state: string]>([
    ["that the connection is lost", DROP, 3, "disconnected; the next status reconnects"],
    ["the time until it connects again", RETRY, 2, "not connected; connecting again in 3 s"],
    ["that it connects again", RETRY, 5, "connecting"],
    ["how long it is connected, even if the time of day was changed meanwhile", LATER, 61, "connected for 1 min 0 s"],
  ])("shows %s", (_what, event, second, state) => {
    expect(shown(after(event), second)[2]).toBe(`state       ${state}`);
  });

  it("fits any terminal: no more and no wider lines than it has room for, and an ellipsis where a line is cut", () => {
    const view = after(...[1, 2, 3, 4, 5].map((second) => answer(second, 1)));
    expect(shown(view, 9, 11, 12)).toEqual([
      "device    …",
      "gateway   …",
      "state     …",
      "statuses  …",
      "commands  …",
      "round trip…",
      "reconnects…",
      "",
      ...["2", "3", "4", "5"].map((second) => `03:04:0${second}.0…`),
    ]);
  });

  it("shows the state and the latest lines if there are few rows", () => {
    const view = after({ ...at(0), event: "connect" }, ...[1, 2, 3, 4, 5].map((second) => answer(second, 1)));
    expect(shown(view, 9, 120, 5)).toEqual([
      'connected for 9 s; sent 0, answers 5 in 1.0 ms, pushes 0, failures 0; "button1" at 127.0.0.1:1636',
      ...["2", "3", "4", "5"].map((second) => `03:04:0${second}.000 answer in 1.0 ms: "on"`),
    ]);
    expect(shown(view, 9, 40, 1)).toEqual(["connected for 9 s; sent 0, answers 5 in…"]);
  });

  it("leaves the latest 200 lines at the end, and says how many are left out", () => {
    const few = after({ ...at(1), event: "connect" });
    expect(ending(few, watched, 2_000).slice(0, 4)).toEqual([
      "03:04:01.000 connected",
      "",
      'device      "button1" (module 1234, type 0, role "left", priority 0)',
      "gateway     127.0.0.1:1636",
    ]);
    const many = ending(after(...Array.from({ length: 203 }, (_, second) => answer(second, 1))), watched, 0);
    expect(many[0]).toBe("(3 earlier lines are left out; --log FILE keeps all)");
    expect(many.indexOf("")).toBe(201);
  });

  it("writes an IPv6 address in brackets", () => {
    expect(render(emptyView, { ...watched, host: "::1" }, 0, 80, 20)[1]).toBe("gateway     [::1]:1636");
  });
});
