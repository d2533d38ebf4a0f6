import { performance } from "node:perf_hooks";
import { MAX_TIMER_MS } from "../limits.js";
import { outsideCalls } from "./async-context.js";
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from "./timers.js";

/** How late a timer may be in a process that runs: one that is later shows that the process was busy, stopped or frozen. */
const MAX_LATENESS_MS = 50;

// A wait is looked at in slices of a quarter of what is left of it, so that a standstill is noticed wherever it falls.
const MIN_SLICE_MS = 25;
const MAX_SLICE_MS = 100;

/** The timer's owner. */
export interface DeadlineObserver {
  /** In the time of `performance.now()`; undefined while nothing has a limit. */
  readonly deadline: number | undefined;
  deadlinePassed(): void;
  /** The process did not run for that long: what has a limit gets as much more. */
  postpone(milliseconds: number): void;
}

/**
 * Reports when its owner's deadline has passed.
 *
 * A deadline comes and goes with every status, so both cost next to nothing: one timer stays armed, and only when it
 * fires is the deadline of that moment looked at.
 */
export class DeadlineTimer {
  private timer: NodeJS.Timeout | undefined;
  private firesAt = Infinity;
  private pendingCheck: NodeJS.Immediate | undefined;
  private deadline: number | undefined;
  private deadlineSince = 0;
  private isRef = true;

  constructor(private readonly observer: DeadlineObserver) {}

  /** The owner may have another deadline now. */
  schedule(now: number): void {
    const { deadline } = this.observer;
    if (deadline === undefined || deadline === this.deadline) return;
    this.deadline = deadline;
    this.deadlineSince = now;
    if (now + slice(deadline - now) < this.firesAt) this.arm(deadline, now);
  }

  /** Whether the armed timer keeps the process alive. */
  setRef(isRef: boolean): void {
    this.isRef = isRef;
    if (isRef) this.timer?.ref();
    else this.timer?.unref();
  }

  stop(): void {
    clearTimeout(this.timer);
    clearImmediate(this.pendingCheck);
    this.timer = undefined;
    this.pendingCheck = undefined;
    this.firesAt = Infinity;
    this.deadline = undefined;
  }

  /** Is called before what came meanwhile is looked at: reads can come before the timer. */
  notice(now: number): void {
    const lateness = now - Math.max(this.firesAt, this.deadlineSince);
    if (lateness <= MAX_LATENESS_MS) return;
    this.deadlineSince = now; // it counts once
    this.observer.postpone(lateness);
  }

  private arm(deadline: number, now: number): void {
    clearTimeout(this.timer);
    const delay = slice(deadline - now);
    this.firesAt = now + delay;
    this.timer = outsideCalls(() => setTimeout(() => this.onTimer(), delay));
    if (!this.isRef) this.timer.unref();
  }

  private onTimer(): void {
    const now = performance.now();
    this.notice(now);
    this.firesAt = Infinity;
    const { deadline } = this.observer;
    this.deadline = deadline;
    if (deadline === undefined) return;
    if (now < deadline) this.arm(deadline, now);
    else this.checkAfterReads();
  }

  /** Timers come before reads: what arrived in time may still lie unread in the kernel. */
  private checkAfterReads(): void {
    clearImmediate(this.pendingCheck);
    this.pendingCheck = setImmediate(() => {
      this.pendingCheck = undefined;
      const { deadline } = this.observer;
      this.deadline = deadline;
      if (deadline === undefined) return;
      const now = performance.now();
      if (now < deadline) return this.arm(deadline, now);
      // What follows may have a limit of its own, and time can have passed since the timer fired.
      if (now - deadline > MAX_LATENESS_MS) this.observer.postpone(now - deadline);
      this.observer.deadlinePassed();
    });
  }
}

/** How long to wait before the next look, in whole milliseconds as a timer counts them. */
function slice(left: number): number {
  const wait = left <= MIN_SLICE_MS ? left : Math.min(MAX_SLICE_MS, Math.max(MIN_SLICE_MS, left / 4));
  return Math.min(MAX_TIMER_MS, Math.max(1, Math.ceil(wait)));
}
