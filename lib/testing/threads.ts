/**
 * The genuine gateway has two threads for all its sockets, and one waits where a message waits for its answer. So two
 * messages without an answer stop the reading of all others.
 */
const COUNT = 2;

export interface Threads {
  /** Runs the task when a thread is free, and keeps that thread until it is done. */
  readonly run: <Value>(task: () => Value | Promise<Value>) => Promise<Value>;
}

export function createThreads(): Threads {
  const waiting: (() => void)[] = [];
  let free = COUNT;

  async function run<Value>(task: () => Value | Promise<Value>): Promise<Value> {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  }

  return { run };
}
