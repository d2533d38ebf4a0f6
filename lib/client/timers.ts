import nodeTimers from "node:timers";

/**
 * Taken when the module loads: a test's fake timers replace the functions of `node:timers` later, and a client that lives
 * across such a test keeps its limits.
 */
export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate } = nodeTimers;
