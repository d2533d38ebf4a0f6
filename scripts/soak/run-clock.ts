const LOOKS_EVERY_MS = 10;
/** A look that is later than that shows that the process did not run. */
const MAX_LATENESS_MS = 20;

/** A clock that stands still while the process does: what a busy machine costs is no call's fault. */
export class RunClock {
  private stoodStillMs = 0;
  private lastLook = performance.now();
  private readonly timer = setInterval(() => void this.now(), LOOKS_EVERY_MS);

  now(): number {
    const now = performance.now();
    const lateness = now - this.lastLook - LOOKS_EVERY_MS;
    if (lateness > MAX_LATENESS_MS) this.stoodStillMs += lateness;
    this.lastLook = now;
    return now - this.stoodStillMs;
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
