import { performance } from "node:perf_hooks";
import type { Connection } from "./connection.js";
import { isGone } from "./connection.js";
import type { Context } from "./context.js";

/** Closes the socket in order, after what was written has gone out. */
export function close(context: Context, connection: Connection): void {
  if (isGone(connection)) return;
  leave(context, connection);
  connection.socket.destroySoon();
}

export function reset(context: Context, connection: Connection): void {
  if (isGone(connection)) return;
  leave(context, connection);
  connection.socket.resetAndDestroy();
}

/** Closes the socket now, whatever has not gone out yet. */
export function drop(context: Context, connection: Connection): void {
  leave(context, connection);
  connection.socket.destroy();
}

/** The device is no longer there, though its slot may stay taken for a while. */
export function leave(context: Context, connection: Connection): void {
  if (isGone(connection)) return;
  connection.phase = "gone";
  context.slots.release(connection, slotKeptMs(context, connection));
}

function slotKeptMs(context: Context, connection: Connection): number {
  const { cleanUpMs, moduleTimeoutMs } = context.settings;
  if (connection.unanswered === 0 || connection.lastStatusAt === undefined) return cleanUpMs;
  const moduleKeepsIt = connection.lastStatusAt + moduleTimeoutMs - performance.now();
  return Math.max(cleanUpMs, moduleKeepsIt);
}
