import { AsyncResource } from "node:async_hooks";

/** The package's own async context: that in which it was loaded, which is as a rule none. */
const own = new AsyncResource("FleetInternalClient");

/**
 * Runs what is of no caller's concern, so that it does not see a caller's `AsyncLocalStorage` store. Whatever lives as long as a
 * client is made here: a socket or a timer would hold the store of the call that happened to make it.
 */
export function outsideCalls<T>(action: () => T): T {
  return own.runInAsyncScope(action);
}
