/** The longest delay of a timer; a longer one fires at once. */
export const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Whoever is to be told that a deadline of its own has passed. */
export interface DeadlineObserver {
  /** In the time of `performance.now()`; undefined while nothing is to be told. */
  readonly deadline: number | undefined;
  deadlinePassed(): void;
}

/**
 * Tells when its observer's deadline has passed.
 *
 * A deadline comes and goes with every status, so both cost next to nothing: one timer stays armed, and only when it
 * fires is the deadline of that moment looked at.
 */
export class DeadlineTimer {
  private timer: NodeJS.Timeout | undefined;
  private timerFiresAt: number | undefined;
  private lastLook: NodeJS.Immediate | undefined;
  private holdsProcess = true;

  constructor(private readonly observer: DeadlineObserver) {}

  /** The observer has a new deadline. */
  watch(deadline: number): void {
    if (this.timerFiresAt === undefined || deadline < this.timerFiresAt) this.arm(deadline);
  }

  /** Whether the armed timer keeps the process alive. */
  hold(holds: boolean): void {
    this.holdsProcess = holds;
    if (holds) this.timer?.ref();
    else this.timer?.unref();
  }

  stop(): void {
    this.disarm();
    clearImmediate(this.lastLook);
    this.lastLook = undefined;
  }

  private arm(deadline: number): void {
    this.disarm();
    this.timerFiresAt = deadline;
    // What is rounded up may be a little longer than a timer can be; one that fires early is armed again.
    const delay = Math.min(deadline - performance.now(), LONGEST_DELAY_MS);
    this.timer = setTimeout(() => this.onTimer(), delay);
    if (!this.holdsProcess) this.timer.unref();
  }

  private disarm(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.timerFiresAt = undefined;
  }

  private onTimer(): void {
    this.timer = undefined;
    this.timerFiresAt = undefined;
    const { deadline } = this.observer;
    if (deadline === undefined) return;
    // Timers may fire a little early; setTimeout counts whole milliseconds from the start of the loop's turn.
    if (performance.now() < deadline) this.arm(deadline);
    else this.lookAgain();
  }

  /**
   * When the process was busy or frozen, the answer may lie unread in the kernel while the timer is already due, and
   * timers come before reads: let one turn of reads pass first.
   */
  private lookAgain(): void {
    clearImmediate(this.lastLook);
    this.lastLook = setImmediate(() => {
      this.lastLook = undefined;
      const { deadline } = this.observer;
      if (deadline === undefined) return;
      if (performance.now() < deadline) this.watch(deadline);
      else this.observer.deadlinePassed();
    });
  }
}
