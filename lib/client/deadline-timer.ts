import { performance } from "node:perf_hooks";
import { MAX_TIMER_MS } from "../limits.js";
import { outsideCalls } from "./async-context.js";
import { noticeStandstill, unwatch, watch, type Watched } from "./standstill.js";
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from "./timers.js";

/** The timer's owner. */
export interface DeadlineObserver {
  /** In the time of `performance.now()`; undefined while nothing has a limit. */
  readonly deadline: number | undefined;
  deadlinePassed(): void;
  /** The process did not run for that long: every limit is extended by it. */
  postpone(milliseconds: number): void;
}

/**
 * Reports when its owner's deadline has passed.
 *
 * Every status has a deadline, so setting and clearing one must cost next to nothing: one timer stays armed, and looks at
 * the current deadline only when it fires.
 */
export class DeadlineTimer implements Watched {
  private timer: NodeJS.Timeout | undefined;
  private firesAt = Infinity;
  private pendingCheck: NodeJS.Immediate | undefined;
  private countedUntil = 0;
  private isRef = true;

  constructor(private readonly observer: DeadlineObserver) {}

  /** The owner may have another deadline now. */
  schedule(now: number): void {
    const { deadline } = this.observer;
    if (deadline !== undefined && deadline < this.firesAt) this.arm(deadline, now);
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
    unwatch(this);
  }

  /** The owner has counted itself how long the process stood still until now. */
  countedItself(now: number): void {
    this.countedUntil = now;
  }

  get hasLimit(): boolean {
    return this.observer.deadline !== undefined;
  }

  stoodStill(since: number, now: number): void {
    this.observer.postpone(now - Math.max(since, this.countedUntil));
  }

  private arm(deadline: number, now: number): void {
    clearTimeout(this.timer);
    const delay = Math.min(MAX_TIMER_MS, Math.max(1, Math.ceil(deadline - now)));
    this.firesAt = now + delay;
    this.timer = outsideCalls(() => setTimeout(() => this.onTimer(), delay));
    if (!this.isRef) this.timer.unref();
    watch(this, now);
  }

  private onTimer(): void {
    const now = performance.now();
    this.firesAt = Infinity;
    const { deadline } = this.observer;
    if (deadline === undefined) return this.stop();
    if (now < deadline) this.arm(deadline, now);
    else this.checkAfterReads();
  }

  /** Node runs timers before reads: what arrived in time may still be unread in the kernel. */
  private checkAfterReads(): void {
    clearImmediate(this.pendingCheck);
    this.pendingCheck = setImmediate(() => {
      this.pendingCheck = undefined;
      const now = performance.now();
      noticeStandstill(now); // time can have passed since the timer fired
      const { deadline } = this.observer;
      if (deadline === undefined) return;
      if (now < deadline) this.arm(deadline, now);
      else this.observer.deadlinePassed();
    });
  }
}
