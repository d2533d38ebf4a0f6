import { performance } from "node:perf_hooks";
import type { Context } from "./context.js";
import { close } from "./hang-up.js";

/**
 * Cuts devices that have been silent for too long. One look at all of them now and then, as on the real gateway, costs
 * each status less than a timer of its own would.
 */
export function watchForSilence(context: Context): void {
  const { silenceMs } = context.settings;
  if (silenceMs === Infinity) return;
  context.timers.every(Math.max(1, silenceMs / 10), () => cutSilentOnes(context, performance.now() - silenceMs));
}

function cutSilentOnes(context: Context, silentSince: number): void {
  for (const connection of context.connections) {
    if (connection.lastStatusAt !== undefined && connection.lastStatusAt < silentSince) close(context, connection);
  }
}
