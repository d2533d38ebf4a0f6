/** Timers of a clock that moves only when it is told to. */
export class VirtualTimers {
  now = 0;
  /** How many are armed. */
  get armed(): number {
    return this.timers.size;
  }

  private readonly timers = new Map<NodeJS.Timeout, { at: number; fire: () => void }>();

  readonly setTimeout = ((fire: () => void, ms: number): NodeJS.Timeout => {
    const timer = { unref: () => timer } as NodeJS.Timeout;
    this.timers.set(timer, { at: this.now + ms, fire });
    return timer;
  }) as typeof setTimeout;

  readonly clearTimeout = ((timer: NodeJS.Timeout) => void this.timers.delete(timer)) as typeof clearTimeout;

  advanceTo(time: number): void {
    for (;;) {
      const [next] = [...this.timers].sort(([, one], [, other]) => one.at - other.at);
      if (next === undefined || next[1].at > time) break;
      const [timer, { at, fire }] = next;
      this.timers.delete(timer);
      this.now = at;
      fire();
    }
    this.now = time;
  }
}
