import nodeTimers from "node:timers";
import { performance } from "node:perf_hooks";
import { close } from "./connection.js";
import { type State } from "./state.js";

/** Taken when the module loads: a test's fake timers replace the functions of `node:timers` later, and do not stop the gateway. */
const { clearTimeout, setImmediate, setTimeout } = nodeTimers;

/** All the delays of one gateway. None keeps the process alive, and none outlives the gateway. */
export interface Timers {
  /** Returns how to call it off. */
  readonly after: (milliseconds: number, action: () => void) => () => void;
  /** Settles after the delay, which is at least long enough for a socket in this process to read; never after `clear`. */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** For good: none is started afterwards. */
  readonly clear: () => void;
}

export function createTimers(): Timers {
  const timeouts = new Set<NodeJS.Timeout>();
  let isCleared = false;

  function after(milliseconds: number, action: () => void): () => void {
    if (isCleared) return () => undefined;
    const timeout = setTimeout(() => {
      timeouts.delete(timeout);
      action();
    }, milliseconds).unref();
    timeouts.add(timeout);
    return () => {
      timeouts.delete(timeout);
      clearTimeout(timeout);
    };
  }

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      if (milliseconds > 0) after(milliseconds, resolve);
      // The first of the two may still run before the event loop next looks at the sockets.
      else setImmediate(() => setImmediate(resolve));
    });
  }

  function clear(): void {
    isCleared = true;
    for (const timeout of timeouts) clearTimeout(timeout);
    timeouts.clear();
  }

  return { after, pause, clear };
}

/** Settles after the delay, and at once when the signal aborts. It keeps the process alive. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timeout);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timeout = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}

/** Cuts devices that have been silent for too long: one timer for all, because one for each would slow every status down. */
export function watchForSilence(state: State): void {
  const { silenceMs } = state.settings;
  if (silenceMs !== Infinity) state.timers.after(silenceMs, () => cutSilentOnes(state, silenceMs));
}

function cutSilentOnes(state: State, silenceMs: number): void {
  const now = performance.now();
  for (const device of state.handler.takeSilent(now)) {
    const holder = state.slots.holderOf(device);
    if (holder !== undefined && !state.isEnding) close(state, holder);
  }
  const nextInMs = Math.min(state.handler.nextSilentAt() - now, silenceMs);
  state.timers.after(Math.ceil(nextInMs), () => cutSilentOnes(state, silenceMs));
}
