import { describe, expect, it } from "@jest/globals";
import { emptyView, render, viewAfter } from "../../lib/cli/live-view.js";
import type { WatchEvent } from "../../lib/cli/watch-events.js";
import { InternalClientError } from "../../lib/index.js";
import { utf8 } from "../support/bytes.js";

const device = { module: 1000, deviceType: 0, deviceRole: "left", deviceName: "button1", priority: 0 };
const empty = emptyView({ device, host: "127.0.0.1", port: 1636, everyMs: 5_000, hex: false });

const at = (second: number): Date => new Date(2026, 0, 2, 3, 4, second);
const answer = (second: number, roundTripMs: number): WatchEvent => ({
  time: at(second),
  event: "command",
  kind: "answer",
  command: utf8("on"),
  roundTripMs,
});
const after = (...events: WatchEvent[]) => events.reduce(viewAfter, empty);
const state = (view: typeof empty, now: Date) => render(view, now, 80, 20)[2];

describe("the live view", () => {
  it("shows a device that is connecting", () => {
    expect(render(empty, at(0), 100, 20)).toEqual([
      'device      "button1" (module 1000, type 0, role "left", priority 0)',
      "gateway     127.0.0.1:1636",
      "state       connecting",
      "statuses    0 sent, one every 5 s; failures 0",
      "commands    answers 0, pushes 0",
      "round trip  none yet",
      "reconnects  0; connected anew 0",
    ]);
  });

  it("shows what has happened since, and below it the latest lines", () => {
    const error = new InternalClientError("TIMEOUT_OCCURRED", { message: "late" });
    const view = after(
      { time: at(1), event: "connect" },
      { time: at(1), event: "status", status: utf8("a") },
      answer(2, 4),
      { time: at(3), event: "command", kind: "push", command: utf8("off"), roundTripMs: undefined },
      { time: at(4), event: "drop", reason: "closed" },
      { time: at(5), event: "reconnect" },
      answer(5, 200),
      { time: at(6), event: "failure", error },
      { time: at(6), event: "unreadable", problem: "gone" },
      { time: at(6), event: "retry", afterMs: 1_000 },
      { time: at(7), event: "connect" },
    );
    expect(render(view, at(17), 100, 30)).toEqual([
      'device      "button1" (module 1000, type 0, role "left", priority 0)',
      "gateway     127.0.0.1:1636",
      "state       connected for 10 s",
      "statuses    1 sent, one every 5 s; failures 1",
      "commands    answers 2, pushes 1",
      "round trip  200 ms (lowest 4.0 ms, average 102 ms, highest 200 ms)",
      "reconnects  1; connected anew 1",
      "",
      "03:04:01.000 connected",
      "03:04:02.000 answer in 4.0 ms: on",
      "03:04:03.000 push: off",
      "03:04:04.000 disconnected: closed",
      "03:04:05.000 reconnected",
      "03:04:05.000 answer in 200 ms: on",
      "03:04:06.000 failed: TIMEOUT_OCCURRED: late",
      "03:04:06.000 not sent: gone",
      "03:04:06.000 connecting anew in 1 s",
      "03:04:07.000 connected",
    ]);
  });

  it("shows that the connection is lost until it stands again", () => {
    const view = after({ time: at(1), event: "connect" }, { time: at(2), event: "drop", reason: "closed" });
    expect(state(view, at(3))).toBe("state       disconnected; the next status reconnects");
  });

  it("counts down to the next attempt to connect", () => {
    const view = after({ time: at(1), event: "retry", afterMs: 4_000 });
    expect(state(view, at(2))).toBe("state       not connected; connecting anew in 3 s");
    expect(state(view, at(5))).toBe("state       connecting");
  });

  it.each([
    [59, "59 s"],
    [60, "1 min 0 s"],
    [3_599, "59 min 59 s"],
    [7_260, "2 h 1 min"],
  ])("tells how long it is connected: after %i seconds", (passed, words) => {
    expect(state(after({ time: at(0), event: "connect" }), at(passed))).toBe(`state       connected for ${words}`);
  });

  it("fits any terminal: no more lines and no wider ones than asked for", () => {
    const view = after(...[1, 2, 3, 4, 5].map((second) => answer(second, 1)));
    expect(render(view, at(9), 10, 10)).toEqual([
      "device    ",
      "gateway   ",
      "state     ",
      "statuses  ",
      "commands  ",
      "round trip",
      "reconnects",
      "",
      "03:04:04.0",
      "03:04:05.0",
    ]);
    expect(render(view, at(9), 80, 8)).toHaveLength(7);
    expect(render(view, at(9), 80, 3)).toHaveLength(3);
  });

  it("does not cut a character of two UTF-16 units in two", () => {
    const view = after({ time: at(1), event: "unreadable", problem: "🚲🚲🚲" });
    expect(render(view, at(1), 25, 20).at(-1)).toBe("03:04:01.000 not sent: 🚲🚲");
  });

  it("keeps only the latest 200 lines", () => {
    const view = after(...Array.from({ length: 201 }, (_, second) => answer(second, 1)));
    expect(view.log).toHaveLength(200);
    expect(view.log[0]).toBe("03:04:01.000 answer in 1.0 ms: on");
  });

  it("is a value: an event makes a new one and leaves the former", () => {
    after(answer(1, 1));
    expect(empty).toMatchObject({ answers: 0, log: [] });
  });

  it("writes an IPv6 address in brackets", () => {
    expect(render({ ...empty, host: "::1" }, at(0), 80, 20)[1]).toBe("gateway     [::1]:1636");
  });
});
