/** Whoever is to be told that the deadline has passed. */
export interface DeadlineObserver {
  deadlinePassed(): void;
}

/**
 * Tells when a deadline has passed.
 *
 * A deadline is set and cleared with every status, so both cost next to nothing: one timer stays armed, and only when
 * it fires is the deadline of that moment looked at.
 */
export class DeadlineTimer {
  private deadline = Infinity;
  private timer: NodeJS.Timeout | undefined;
  private timerFiresAt = Infinity;
  private lastLook: NodeJS.Immediate | undefined;
  private holdsProcess = true;

  constructor(private readonly observer: DeadlineObserver) {}

  /** Sets the deadline, in the time of `performance.now()`, in the place of any other; without one, nothing is told. */
  set(deadline: number | undefined): void {
    this.deadline = deadline ?? Infinity;
    if (this.deadline < this.timerFiresAt) this.arm();
  }

  /** Whether the armed timer keeps the process alive. */
  hold(holds: boolean): void {
    this.holdsProcess = holds;
    if (holds) this.timer?.ref();
    else this.timer?.unref();
  }

  stop(): void {
    this.deadline = Infinity;
    this.disarm();
    clearImmediate(this.lastLook);
    this.lastLook = undefined;
  }

  private arm(): void {
    this.disarm();
    this.timerFiresAt = this.deadline;
    this.timer = setTimeout(() => this.onTimer(), this.deadline - performance.now());
    if (!this.holdsProcess) this.timer.unref();
  }

  private disarm(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.timerFiresAt = Infinity;
  }

  private onTimer(): void {
    this.timer = undefined;
    this.timerFiresAt = Infinity;
    if (this.deadline === Infinity) return;
    // Timers may fire a little early; setTimeout counts whole milliseconds from the start of the loop's turn.
    if (performance.now() < this.deadline) this.arm();
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
      if (performance.now() < this.deadline) return this.set(this.deadline);
      this.deadline = Infinity;
      this.observer.deadlinePassed();
    });
  }
}
