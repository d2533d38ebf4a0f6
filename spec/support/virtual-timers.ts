/** Timers of a clock that moves only when it is told to. */
export class VirtualTimers {
  now = 0;
  private readonly timers = new Map<NodeJS.Timeout, { at: number; fire: () => void; isRef: boolean }>();

  /** How many are armed. */
  get armed(): number {
    return this.timers.size;
  }

  /** How many of them would keep a process alive. */
  get armedAndRef(): number {
    return [...this.timers.values()].filter(({ isRef }) => isRef).length;
  }

  readonly setTimeout = ((fire: () => void, ms: number): NodeJS.Timeout => {
    const armed = { at: this.now + ms, fire, isRef: true };
    const timer = {
      unref: () => {
        armed.isRef = false;
        return timer;
      },
    } as NodeJS.Timeout;
    this.timers.set(timer, armed);
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
