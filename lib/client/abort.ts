import { defaultMaxListeners, getMaxListeners, setMaxListeners } from "node:events";

/** What Node calls when a signal aborts. */
export interface AbortListener {
  handleEvent(): void;
}

/**
 * Listens for a signal's abort. One signal may serve a whole process and all its statuses, each with a listener that is
 * removed when the status settles. So Node's warning of a leak above ten listeners is turned off, unless the signal's owner
 * has set a limit. It uses the prototype's methods, because a signal's own, if it has any, might throw.
 */
export function listen(signal: AbortSignal, listener: AbortListener): void {
  if (hasDefaultLimit(signal)) setMaxListeners(Infinity, signal);
  EventTarget.prototype.addEventListener.call(signal, "abort", listener, { once: true });
}

export function unlisten(signal: AbortSignal, listener: AbortListener): void {
  EventTarget.prototype.removeEventListener.call(signal, "abort", listener);
}

function hasDefaultLimit(signal: AbortSignal): boolean {
  try {
    return getMaxListeners(signal) === defaultMaxListeners;
  } catch {
    return false; // Node throws for a limit of 0, which means no limit
  }
}
