import nodeTimers from "node:timers";

/**
 * Taken when the module loads: a test's fake timers replace the functions of `node:timers` later, and the client's limits
 * keep real time.
 */
export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate } = nodeTimers;
