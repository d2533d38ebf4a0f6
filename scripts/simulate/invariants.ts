import { CommandInvariants } from "./command-invariants.js";
import { StatusInvariants } from "./status-invariants.js";
import type { World } from "./world.js";

// How coarsely the client notices that its process did not run: a standstill counts from the end of the slice of waiting
// that it falls into, and one that is shorter than the lateness of a timer in a busy process does not count.
const MAX_SLICE_MS = 1_000;
const MIN_SLICE_MS = 25;
const MAX_LATENESS_MS = 50;

/** What the library promises, as far as it is seen from outside. Keeps the first violation. */
export class Invariants {
  violation: string | undefined;
  readonly statuses: StatusInvariants;
  readonly commands = new CommandInvariants(this);

  constructor(private readonly world: World) {
    this.statuses = new StatusInvariants(world, this);
  }

  violated(what: string): void {
    this.violation ??= what;
    this.world.journal.note(`VIOLATED: ${what}`);
  }

  hasViolation(): boolean {
    return this.violation !== undefined;
  }

  afterStep(): void {
    this.commands.afterStep();
    this.statuses.afterStep();
  }

  /** A limit strikes neither early nor because of time that the process did not run. */
  limitStruck(what: string, limitMs: number, since: number): void {
    const { loop } = this.world;
    const slice = Math.min(MAX_SLICE_MS, Math.max(MIN_SLICE_MS, limitMs / 4));
    const freezes = loop.freezesSince(since);
    const took = loop.now - since;
    const unnoticed = freezes.reduce((sum, freezeMs) => sum + Math.min(freezeMs, slice + MAX_LATENESS_MS + 2), 0);
    const ran = took - freezes.reduce((sum, freezeMs) => sum + freezeMs, 0);
    if (took < limitMs - 1) this.violated(`${what} of ${limitMs} ms struck after ${took.toFixed(1)}`);
    if (ran + unnoticed < limitMs - 2) {
      this.violated(`${what} of ${limitMs} ms struck after the process had run for ${ran.toFixed(1)}`);
    }
  }

  /** After a client's end. */
  checkNothingIsLeft(after: string): void {
    const { loop, liveSockets } = this.world;
    const { open } = this.statuses;
    if (open.length > 0) this.violated(`${open.length} statuses unsettled after ${after}`);
    if (loop.timers.size > 0) this.violated(`${loop.timers.size} timers left after ${after}`);
    if (loop.immediates.size > 0) this.violated(`${loop.immediates.size} immediates left after ${after}`);
    if (liveSockets.size > 0) this.violated(`${liveSockets.size} sockets left after ${after}`);
  }

  /** Something that is under way keeps the process alive, and nothing else does, unless the user wants it so. */
  checkLiveness(isConnected: boolean, keepsAlive: boolean): void {
    const { loop, liveSockets } = this.world;
    const holders = [...loop.timers, ...liveSockets].filter(({ isRef }) => isRef);
    const isHeld = holders.length > 0 || loop.immediates.size > 0;
    const isBusy = this.statuses.open.length > 0;
    if (isBusy && !isHeld) this.violated("the process would end with a status in flight");
    if (isConnected && keepsAlive && !isHeld && liveSockets.size > 0) this.violated("a connection does not keep alive");
    if (isConnected && !keepsAlive && !isBusy && isHeld && loop.immediates.size === 0) {
      this.violated("an idle client keeps the process alive");
    }
  }
}
