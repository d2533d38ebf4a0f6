import { setImmediate as realSetImmediate } from "node:timers";
import type { Random } from "../random.js";
import type { WorldClock } from "./world-clock.js";

const MAX_DELAY_MS = 2 ** 31 - 1;

export interface FreezeHabits {
  /** The probability of a freeze at each point where one can begin. */
  readonly freezing: number;
  readonly freezeMs: readonly number[];
}

/** A shorter one is what a busy process takes for its work. */
const MIN_FREEZE_MS = 5;
const MAX_BUSY_MS = 2;

export class VirtualTimer {
  private isRef = true;
  constructor(
    readonly due: number,
    readonly order: number,
    readonly run: () => void,
  ) {}
  ref(): this {
    this.isRef = true;
    return this;
  }
  unref(): this {
    this.isRef = false;
    return this;
  }
  hasRef(): boolean {
    return this.isRef;
  }
}

export interface VirtualImmediate {
  readonly run: () => void;
}

/** What the process looks at between its timers and its immediates. */
export interface Polled {
  /** Whether something waits to be read. */
  readonly isReady: boolean;
  /** Runs one callback. */
  poll(): void;
}

/** More reads of one socket than these wait for the next turn, as in Node. */
const MAX_READS_IN_A_TURN = 32;

/** A process of Node's: timers, reads, immediates and closings in turns, with microtasks after each callback. */
export class VirtualProcess {
  readonly timers = new Set<VirtualTimer>();
  readonly immediates = new Set<VirtualImmediate>();
  readonly sockets = new Set<Polled>();
  /** How long it has not run, and how often. */
  frozenMs = 0;
  freezes = 0;
  /** The part of it that was too short to be called a freeze. */
  busyMs = 0;
  onFreeze: (milliseconds: number) => void = () => undefined;
  onThrown: (thrown: unknown) => void = () => undefined;
  /** Called after each callback and all that it has caused. */
  afterCallback: () => void = () => undefined;

  private readonly closings: (() => void)[] = [];
  private loopTime: number;
  private order = 0;

  constructor(
    private readonly clock: WorldClock,
    private readonly random: Random,
    private readonly habits: FreezeHabits,
  ) {
    this.loopTime = Math.floor(clock.now);
  }

  // ——— what the library calls ———

  now(): number {
    return this.clock.now;
  }

  setTimeout(run: () => void, milliseconds: number): VirtualTimer {
    const delay = milliseconds >= 1 && milliseconds <= MAX_DELAY_MS ? Math.trunc(milliseconds) : 1;
    const timer = new VirtualTimer(this.loopTime + delay, this.order++, run);
    this.timers.add(timer);
    return timer;
  }

  clearTimeout(timer: VirtualTimer | undefined): void {
    if (timer !== undefined) this.timers.delete(timer);
  }

  setImmediate(run: () => void): VirtualImmediate {
    const immediate = { run };
    this.immediates.add(immediate);
    return immediate;
  }

  clearImmediate(immediate: VirtualImmediate | undefined): void {
    if (immediate !== undefined) this.immediates.delete(immediate);
  }

  /** At the end of the turn, where Node reports that handles are closed. */
  onClosing(run: () => void): void {
    this.closings.push(run);
  }

  // ——— its life ———

  /** Runs one turn of the event loop at the next moment that has something to do; returns false if that is after `until`. */
  async turn(until: number): Promise<boolean> {
    const wakesAt = this.hasWork() ? this.clock.now : Math.min(this.clock.nextAt, this.nextTimerAt());
    if (wakesAt > until) {
      this.clock.runUntil(until);
      this.loopTime = Math.floor(this.clock.now);
      return false;
    }
    this.clock.runUntil(wakesAt);
    this.maybeFreeze();
    await this.runTimers();
    this.maybeFreeze();
    await this.runReads();
    this.maybeFreeze();
    await this.runImmediates();
    for (const closing of this.closings.splice(0)) await this.call(closing);
    return true;
  }

  /** Does nothing for so long, while the world goes on. */
  freeze(milliseconds: number): void {
    this.frozenMs += milliseconds;
    if (milliseconds < MIN_FREEZE_MS) this.busyMs += milliseconds;
    else this.freezes++;
    if (milliseconds >= MIN_FREEZE_MS) this.onFreeze(milliseconds);
    this.clock.runUntil(this.clock.now + milliseconds);
  }

  /** Runs a callback and all microtasks that follow from it. */
  async call(callback: () => void): Promise<void> {
    try {
      callback();
    } catch (thrown) {
      this.onThrown(thrown);
    }
    await new Promise<void>((resolve) => realSetImmediate(resolve));
    this.afterCallback();
  }

  private hasWork(): boolean {
    if (this.immediates.size > 0 || this.closings.length > 0) return true;
    for (const socket of this.sockets) if (socket.isReady) return true;
    return false;
  }

  private nextTimerAt(): number {
    let next = Infinity;
    for (const { due } of this.timers) next = Math.min(next, due);
    return next;
  }

  private maybeFreeze(): void {
    const { random, habits } = this;
    if (random.chance(habits.freezing)) this.freeze(random.pick(habits.freezeMs) * random.next());
    else if (habits.freezing > 0 && random.chance(0.02)) this.freeze(MAX_BUSY_MS * random.next());
    this.loopTime = Math.floor(this.clock.now);
  }

  private async runTimers(): Promise<void> {
    if (this.timers.size === 0) return;
    const due = [...this.timers].filter((timer) => timer.due <= this.loopTime);
    due.sort((one, other) => one.due - other.due || one.order - other.order);
    for (const timer of due) if (this.timers.delete(timer)) await this.call(timer.run);
  }

  private async runReads(): Promise<void> {
    for (const socket of this.sockets) {
      for (let reads = 0; socket.isReady && reads < MAX_READS_IN_A_TURN; reads++) await this.call(() => socket.poll());
    }
  }

  private async runImmediates(): Promise<void> {
    for (const immediate of [...this.immediates]) if (this.immediates.delete(immediate)) await this.call(immediate.run);
  }
}
