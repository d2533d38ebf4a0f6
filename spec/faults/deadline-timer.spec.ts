import { performance } from "node:perf_hooks";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { DeadlineTimer } from "../../lib/client/deadline-timer.js";
import { noticeStandstill } from "../../lib/client/standstill.js";
import { armedTimers } from "../support/armed-timers.js";
import { eventually } from "../support/eventually.js";
import { standStill } from "../support/stand-still.js";

const STANDSTILL_MS = 300;
/** No more than this may go unnoticed: what is left of a beat, and what a timer may be late. */
const MAX_UNNOTICED_MS = 85;

let timer: DeadlineTimer | undefined;

afterEach(() => {
  timer?.stop();
  jest.restoreAllMocks();
});

/** A timer that is scheduled for an owner whose deadline is what that returns at its first look, its second, and so on. */
function scheduled(deadlineAt: (look: number) => number | undefined) {
  const owner = {
    looks: 0,
    events: [] as string[],
    postponedMs: 0,
    get deadline() {
      return deadlineAt(++owner.looks);
    },
    deadlinePassed: (): void => void owner.events.push("passed"),
    postpone: (milliseconds: number): void => {
      owner.events.push("postponed");
      owner.postponedMs += milliseconds;
    },
  };
  timer = new DeadlineTimer(owner);
  timer.schedule(performance.now());
  return owner;
}

function limitOf(milliseconds: number): () => number {
  const limit = performance.now() + milliseconds;
  return () => limit;
}

describe("a standstill of the process", () => {
  it("is noticed when a read comes before the timer, and counts once", () => {
    const owner = scheduled(limitOf(10_000));
    standStill(STANDSTILL_MS);
    const thawedAt = performance.now();
    noticeStandstill(thawedAt);
    expect(owner.postponedMs).toBeGreaterThan(STANDSTILL_MS - MAX_UNNOTICED_MS);
    const { postponedMs } = owner;
    noticeStandstill(thawedAt);
    expect(owner.postponedMs).toBe(postponedMs);
  });

  it("is not counted again as far as the owner has counted it itself", () => {
    const start = performance.now();
    const owner = scheduled(() => start + 10_000);
    timer!.countedItself(start + 1_000);
    noticeStandstill(start + 1_200);
    expect(owner.postponedMs).toBeCloseTo(200);
  });

  it("is noticed when it happens between a limit's timer and the reads that the limit waits for", async () => {
    const limit = performance.now() - 1;
    // The timer fires with the second look; the first is that of the schedule.
    const owner = scheduled((look) => {
      if (look === 2) standStill(STANDSTILL_MS);
      return limit;
    });
    await eventually(() => expect(owner.events).toContain("passed"));
    // A machine that is busy may have had it noticed a standstill of its own before.
    expect(owner.events.slice(-2)).toEqual(["postponed", "passed"]);
    expect(owner.postponedMs).toBeGreaterThan(STANDSTILL_MS - MAX_UNNOTICED_MS);
  });

  it("of 200 ms there is given to the next limit, but for what was left of a beat", async () => {
    const times = [1_000, 1_000];
    jest.spyOn(performance, "now").mockImplementation(() => times.shift() ?? 1_200);
    const owner = scheduled(() => 1_000);
    await eventually(() => expect(owner.events).toContain("passed"));
    expect(owner.postponedMs).toBe(175);
  });
});

describe("a limit", () => {
  it("that has just passed in a process that runs is given no more time", async () => {
    jest.spyOn(performance, "now").mockReturnValue(1_000);
    const owner = scheduled(() => 1_000);
    await eventually(() => expect(owner.events).not.toEqual([]));
    expect(owner.events).toEqual(["passed"]);
  });

  it("is looked at a few times only", async () => {
    const owner = scheduled(limitOf(10_000));
    await sleep(200);
    expect(owner.looks).toBeLessThan(20);
  });

  it.each([
    ["has been met by then does not pass", () => undefined],
    ["has been followed by another is not that one's end", () => performance.now() + 10_000],
  ])("is looked at a last time after the reads: one that %s", async (_, lastLook) => {
    const owner = scheduled((look) => (look < 3 ? performance.now() - 1 : lastLook()));
    while (owner.looks < 3) await sleep(1);
    await turn();
    expect(owner.events).not.toContain("passed");
  });
});

describe("the process is kept alive by the timer of a limit", () => {
  it("unless told otherwise, and as it was told last, until it is stopped, and again when it is armed", () => {
    const timers = armedTimers();
    scheduled(limitOf(10_000));
    expect(armedTimers()).toBe(timers + 1);
    timer!.setRef(false);
    expect(armedTimers()).toBe(timers);
    timer!.setRef(true);
    expect(armedTimers()).toBe(timers + 1);
    timer!.stop();
    expect(armedTimers()).toBe(timers);
    timer!.setRef(false);
    timer!.schedule(performance.now());
    expect(armedTimers()).toBe(timers);
    timer!.stop();
    timer!.setRef(true);
    timer!.schedule(performance.now());
    expect(armedTimers()).toBe(timers + 1);
  });

  it("not for long once there is no limit any more", async () => {
    const timers = armedTimers();
    const limit = performance.now() + 600_000;
    scheduled((look) => (look === 1 ? limit : undefined));
    await eventually(() => expect(armedTimers()).toBe(timers));
  });
});
