// Imported rather than global, so that a test's fake timers do not stop the gateway.
import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from "node:timers";

/** All the delays of one gateway. None keeps the process alive, and none outlives the gateway. */
export interface Timers {
  /** Returns how to call it off. */
  readonly after: (milliseconds: number, action: () => void) => () => void;
  readonly every: (milliseconds: number, action: () => void) => void;
  /** Settles after the delay, which is at least long enough for a socket in this process to read; never after `clear`. */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** For good: none is started afterwards. */
  readonly clear: () => void;
}

export function createTimers(): Timers {
  const timeouts = new Set<NodeJS.Timeout>();
  const intervals = new Set<NodeJS.Timeout>();
  let cleared = false;

  function after(milliseconds: number, action: () => void): () => void {
    if (cleared) return () => undefined;
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

  function every(milliseconds: number, action: () => void): void {
    intervals.add(setInterval(action, milliseconds).unref());
  }

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      if (milliseconds > 0) after(milliseconds, resolve);
      // The first of the two may still run before the event loop next looks at the sockets.
      else setImmediate(() => setImmediate(resolve));
    });
  }

  function clear(): void {
    cleared = true;
    for (const timeout of timeouts) clearTimeout(timeout);
    for (const interval of intervals) clearInterval(interval);
    timeouts.clear();
    intervals.clear();
  }

  return { after, every, pause, clear };
}
