/** Lets every microtask run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface LoopEvent {
  readonly at: number;
  readonly callback: () => void;
  readonly isClients: boolean;
}

interface Freeze {
  readonly at: number;
  readonly milliseconds: number;
}

/** As Node's: whole milliseconds, at least one, counted from the start of the loop's turn. */
export class VirtualTimer {
  isRef = true;

  constructor(
    readonly due: number,
    readonly callback: () => void,
  ) {}

  ref(): this {
    this.isRef = true;
    return this;
  }

  unref(): this {
    this.isRef = false;
    return this;
  }
}

export class VirtualImmediate {
  constructor(readonly callback: () => void) {}
}

/**
 * The process's event loop on a virtual clock. One turn runs the timers that are due, then what has arrived, then the
 * immediates, and all microtasks after each.
 */
export class EventLoop {
  now = 1_000;
  /** For how long the process has not run. */
  frozenMs = 0;
  readonly timers = new Set<VirtualTimer>();
  readonly immediates = new Set<VirtualImmediate>();
  /** Called after each thing that the client's process did. */
  afterStep: () => void = () => undefined;
  /** How long the process freezes before this turn. */
  nextFreeze: () => number = () => 0;

  private turnBegan = 1_000;
  private readonly events: LoopEvent[] = [];
  private readonly freezes: Freeze[] = [];

  /** For how long the process has run. */
  get ranMs(): number {
    return this.now - this.frozenMs;
  }

  /** Something in the network or at the gateway. */
  at(time: number, callback: () => void): void {
    this.insert({ at: Math.max(time, this.now), callback, isClients: false });
  }

  /** Something that the client's process sees. */
  clientAt(time: number, callback: () => void): void {
    this.insert({ at: Math.max(time, this.now), callback, isClients: true });
  }

  setTimeout(callback: () => void, milliseconds: number): VirtualTimer {
    const timer = new VirtualTimer(Math.floor(this.turnBegan) + Math.max(1, Math.trunc(milliseconds)), callback);
    this.timers.add(timer);
    return timer;
  }

  setImmediate(callback: () => void): VirtualImmediate {
    const immediate = new VirtualImmediate(callback);
    this.immediates.add(immediate);
    return immediate;
  }

  freeze(milliseconds: number): void {
    this.freezes.push({ at: this.now, milliseconds });
    this.frozenMs += milliseconds;
    this.now += milliseconds;
  }

  freezesSince(time: number): number[] {
    const first = this.freezes.findIndex(({ at }) => at >= time);
    return first < 0 ? [] : this.freezes.slice(first).map(({ milliseconds }) => milliseconds);
  }

  /** One turn, if anything happens until then; else lets the time pass and returns false. */
  async turn(until: number): Promise<boolean> {
    const next = this.nextTime();
    if (next > until) {
      this.now = Math.max(this.now, until);
      this.turnBegan = this.now;
      return false;
    }
    this.now = Math.max(this.now, next);
    const freezeMs = this.nextFreeze();
    if (freezeMs > 0) this.freeze(freezeMs);
    this.turnBegan = this.now;
    await this.runTimers();
    await this.poll();
    await this.runImmediates();
    return true;
  }

  /** Runs something in the client's process, and lets all that follows at once happen. */
  async step(callback: () => void): Promise<void> {
    callback();
    await settle();
    this.afterStep();
  }

  private nextTime(): number {
    if (this.immediates.size > 0) return this.now;
    let next = this.events[0]?.at ?? Infinity;
    for (const { due } of this.timers) next = Math.min(next, due);
    return next;
  }

  private async runTimers(): Promise<void> {
    const due = [...this.timers].filter((timer) => timer.due <= Math.floor(this.turnBegan));
    for (const timer of due.sort((one, other) => one.due - other.due)) {
      if (this.timers.delete(timer)) await this.step(timer.callback);
    }
  }

  private async poll(): Promise<void> {
    for (let event = this.events[0]; event !== undefined && event.at <= this.now; event = this.events[0]) {
      this.events.shift();
      if (event.isClients) await this.step(event.callback);
      else event.callback();
    }
  }

  private async runImmediates(): Promise<void> {
    for (const immediate of [...this.immediates]) {
      if (this.immediates.delete(immediate)) await this.step(immediate.callback);
    }
  }

  private insert(event: LoopEvent): void {
    let index = this.events.length;
    while (index > 0 && (this.events[index - 1] as LoopEvent).at > event.at) index--;
    this.events.splice(index, 0, event);
  }
}
