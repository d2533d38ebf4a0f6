/** One waiter that can be woken early, or stopped for good. It leaves nothing behind on what it waits for. */
export class Waiting {
  private hasStopped = false;
  private end: (() => void) | undefined;

  get isStopped(): boolean {
    return this.hasStopped;
  }

  /** Ends after that many milliseconds, or when woken; without a number, only when woken. */
  pause(milliseconds: number | undefined): Promise<void> {
    if (this.hasStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(() => this.wake(), milliseconds);
      this.end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  wake(): void {
    this.end?.();
    this.end = undefined;
  }

  stop(): void {
    this.hasStopped = true;
    this.wake();
  }
}
