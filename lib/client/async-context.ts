import { AsyncResource } from "node:async_hooks";

/** The package's own async context: the one in which it was loaded, which is usually none. */
const own = new AsyncResource("FleetInternalClient");

/**
 * Runs an action outside any call, so that it does not see a caller's `AsyncLocalStorage` store. Sockets and timers, which live as
 * long as the client, are made here: otherwise they would keep the store of the call that happened to make them.
 */
export function outsideCalls<T>(action: () => T): T {
  return own.runInAsyncScope(action);
}
