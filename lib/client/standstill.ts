import { performance } from "node:perf_hooks";
import { outsideCalls } from "./async-context.js";
import { clearTimeout, setTimeout } from "./timers.js";

/** How late a timer may be in a process that runs: one that is later shows that the process was busy, stopped or frozen. */
const MAX_LATENESS_MS = 50;

const BEAT_MS = 25;

/** Who may have a limit while the process stands still. */
export interface Watched {
  readonly hasLimit: boolean;
  /** The process did not run from then until now, or only so much that no timer fired. */
  stoodStill(since: number, now: number): void;
  /** There is no limit to watch. */
  stop(): void;
}

// A process stands still for all its clients alike, so one timer beats for them all.
const watched = new Set<Watched>();
let beating: NodeJS.Timeout | undefined;
let nextBeatAt = Infinity;

export function watch(one: Watched, now: number): void {
  watched.add(one);
  if (beating === undefined) beatAfter(now);
}

export function unwatch(one: Watched): void {
  watched.delete(one);
  if (watched.size > 0) return;
  clearTimeout(beating);
  beating = undefined;
  nextBeatAt = Infinity;
}

/** Is called before what came meanwhile is looked at: reads can come before a timer. */
export function noticeStandstill(now: number): void {
  if (now - nextBeatAt <= MAX_LATENESS_MS) return;
  const since = nextBeatAt;
  nextBeatAt = now; // it counts once
  for (const one of watched) one.stoodStill(since, now);
}

function beatAfter(now: number): void {
  nextBeatAt = now + BEAT_MS;
  beating = outsideCalls(() => setTimeout(beat, BEAT_MS));
  beating.unref(); // a limit has a timer of its own, which keeps the process alive if that is wanted
}

function beat(): void {
  const now = performance.now();
  noticeStandstill(now);
  for (const one of watched) if (!one.hasLimit) one.stop();
  if (watched.size > 0) beatAfter(now);
}
