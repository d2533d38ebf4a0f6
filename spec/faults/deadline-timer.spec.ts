import { performance } from "node:perf_hooks";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { eventually } from "../support/eventually.js";
import { standStill } from "../support/stand-still.js";
import { DeadlineTimer, type DeadlineObserver } from "../../lib/client/deadline-timer.js";
import { noticeStandstill } from "../../lib/client/standstill.js";
import { armedTimers } from "../support/armed-timers.js";

const STANDSTILL_MS = 300;
/** No more than this may go unnoticed: what is left of a beat, and what a timer may be late. */
const MAX_UNNOTICED_MS = 85;

let timer: DeadlineTimer | undefined;

afterEach(() => {
  timer?.stop();
  jest.restoreAllMocks();
});

function observerFor(limitMs: number) {
  const events: string[] = [];
  const observer = {
    deadline: performance.now() + limitMs,
    events,
    postponedMs: 0,
    deadlinePassed: (): void => void events.push("passed"),
    postpone(milliseconds: number) {
      events.push("postponed");
      observer.postponedMs += milliseconds;
    },
  } satisfies DeadlineObserver & Record<string, unknown>;
  return observer;
}

describe("a standstill of the process is noticed", () => {
  it("when a read comes before the timer", () => {
    const observer = observerFor(10_000);
    timer = new DeadlineTimer(observer);
    timer.schedule(performance.now());
    standStill(STANDSTILL_MS);
    noticeStandstill(performance.now());
    expect(observer.postponedMs).toBeGreaterThan(STANDSTILL_MS - MAX_UNNOTICED_MS);
  });

  it("and counts once", () => {
    const observer = observerFor(10_000);
    timer = new DeadlineTimer(observer);
    timer.schedule(performance.now());
    standStill(STANDSTILL_MS);
    const thawedAt = performance.now();
    noticeStandstill(thawedAt);
    const { postponedMs } = observer;
    noticeStandstill(thawedAt);
    expect(observer.postponedMs).toBe(postponedMs);
  });

  it("when it happens between a limit's timer and the reads that the limit waits for", async () => {
    const observer = observerFor(-1);
    let looks = 0;
    const { deadline } = observer;
    // The timer fires with the second look; the first is that of the schedule.
    Object.defineProperty(observer, "deadline", {
      get: () => {
        if (++looks === 2) standStill(STANDSTILL_MS);
        return deadline;
      },
    });
    timer = new DeadlineTimer(observer);
    timer.schedule(performance.now());
    await eventually(() => expect(observer.events).toContain("passed"));
    // A machine that is busy may have had it noticed a standstill of its own before.
    expect(observer.events.slice(-2)).toEqual(["postponed", "passed"]);
    expect(observer.postponedMs).toBeGreaterThan(STANDSTILL_MS - MAX_UNNOTICED_MS);
  });
});

describe("a limit whose timer fired in time, but whose reads were looked at 200 ms later", () => {
  it("is followed by one that is given them, but for what was left of a beat", async () => {
    jest.spyOn(performance, "now").mockReturnValueOnce(1_000).mockReturnValueOnce(1_000).mockReturnValue(1_200);
    const observer = observerFor(0);
    timer = new DeadlineTimer(observer);
    timer.schedule(1_000);
    await new Promise<void>((resolve) => (observer.deadlinePassed = resolve));
    expect(observer.postponedMs).toBe(175);
  });
});

describe("a limit that has just passed in a process that runs", () => {
  it("is given no more time", async () => {
    jest.spyOn(performance, "now").mockReturnValue(1_000);
    const observer = observerFor(0);
    timer = new DeadlineTimer(observer);
    timer.schedule(1_000);
    await eventually(() => expect(observer.events).not.toEqual([]));
    expect(observer.events).toEqual(["passed"]);
  });
});

describe("the process is kept alive by the timer of a limit", () => {
  it("unless told otherwise, and as it was told last, until it is stopped, and again when it is armed", () => {
    const timers = armedTimers();
    timer = new DeadlineTimer(observerFor(10_000));
    timer.schedule(performance.now());
    expect(armedTimers()).toBe(timers + 1);
    timer.setRef(false);
    expect(armedTimers()).toBe(timers);
    timer.setRef(true);
    expect(armedTimers()).toBe(timers + 1);
    timer.stop();
    expect(armedTimers()).toBe(timers);
    timer.schedule(performance.now());
    expect(armedTimers()).toBe(timers + 1);
  });

  it("not for long once there is no limit any more", async () => {
    const timers = armedTimers();
    const observer = observerFor(600_000);
    timer = new DeadlineTimer(observer);
    timer.schedule(performance.now());
    Object.assign(observer, { deadline: undefined });
    await eventually(() => expect(armedTimers()).toBe(timers));
  });

  it("not if it was told so before it had one", () => {
    const timers = armedTimers();
    timer = new DeadlineTimer(observerFor(10_000));
    timer.setRef(true);
    timer.setRef(false);
    timer.schedule(performance.now());
    expect(armedTimers()).toBe(timers);
  });
});

describe("a limit", () => {
  it("is looked at a few times only", async () => {
    const limit = performance.now() + 10_000;
    let looks = 0;
    const observer = observerFor(0);
    Object.defineProperty(observer, "deadline", {
      get() {
        looks += 1;
        return limit;
      },
    });
    timer = new DeadlineTimer(observer);
    timer.schedule(performance.now());
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(looks).toBeLessThan(20);
  });
});

describe("a limit that has been met by its last look", () => {
  it("does not pass", async () => {
    const observer = observerFor(-1);
    let looks = 0;
    Object.defineProperty(observer, "deadline", { get: () => (++looks < 3 ? performance.now() - 1 : undefined) });
    timer = new DeadlineTimer(observer);
    timer.schedule(performance.now());
    while (looks < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(observer.events).not.toContain("passed");
  });
});

describe("a limit that begins while the former one is checked for the last time", () => {
  it("is not lost with it", async () => {
    const observer = observerFor(-1);
    let looks = 0;
    // By the last look, what was read has completed the status, and the next one has begun.
    Object.defineProperty(observer, "deadline", {
      get: () => performance.now() + (++looks < 3 ? -1 : 10_000),
    });
    timer = new DeadlineTimer(observer);
    timer.schedule(performance.now());
    while (looks < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(observer.events).not.toContain("passed");
  });
});
