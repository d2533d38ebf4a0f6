import { performance } from "node:perf_hooks";
import { checkedMilliseconds, invalidArgument } from "./arguments.js";
import { DONE } from "./mailbox.js";
import { clearTimeout, setTimeout } from "./timers.js";

/**
 * Makes a source of statuses that calls `read` at once and then at every interval.
 *
 * For {@link sendStatuses} and {@link runDevice}. `intervalMs` is in milliseconds, above 0 and up to 2^31-1. A slow reader of the source
 * skips intervals, and nothing piles up. If `read` throws, so does the source: `sendStatuses` and `runDevice` then end with
 * `source-failed`.
 *
 * @example
 * for await (const outcome of sendStatuses(client, every(1_000, () => readSensors()))) outcome.match(act, report);
 */
export function every<Status>(intervalMs: number, read: () => Status | PromiseLike<Status>): AsyncIterable<Status> {
  return { [Symbol.asyncIterator]: () => readings(intervalMs, read) };
}

function readings<Status>(
  intervalMs: number,
  read: () => Status | PromiseLike<Status>,
): AsyncIterator<Status, undefined> {
  let readAt = performance.now();
  let isOver = false;
  let end: () => void = () => undefined;

  const pause = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, milliseconds));
      end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  return {
    next: async () => {
      const interval = checkedMilliseconds("argument intervalMs", intervalMs);
      if (typeof read !== "function") throw invalidArgument("argument read", read, "a function");
      for (let wait = readAt - performance.now(); wait > 0 && !isOver; wait = readAt - performance.now())
        await pause(wait);
      if (isOver) return DONE;
      readAt = performance.now() + interval;
      return { done: false, value: await read() };
    },
    return: () => {
      isOver = true;
      end();
      return Promise.resolve(DONE);
    },
  };
}
