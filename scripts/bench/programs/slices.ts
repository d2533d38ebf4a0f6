import type { Sample } from "../sample.js";

/** Does the same thing over and over, each time after the last, until the clock passes `until`; gives how often. */
type Loop = (until: number) => Promise<number>;

/** For what calls back: Node's sockets, which make no promise per turn. */
export function callbackLoop(turn: (done: () => void) => void): Loop {
  return (until) =>
    new Promise((resolve) => {
      let count = 0;
      const done = (): void => {
        count += 1;
        if (performance.now() < until) {
          turn(done);
        } else {
          resolve(count);
        }
      };
      turn(done);
    });
}

/** For what is awaited, as users do it; `use` looks at what came. */
export function awaitedLoop<T>(turn: () => PromiseLike<T>, use: (outcome: T) => void): Loop {
  return async (until) => {
    let count = 0;
    do {
      use(await turn());
      count += 1;
    } while (performance.now() < until);
    return count;
  };
}

/** Runs all loops at once for a while. The CPU time is that of this process: the gateway has its own. */
export async function timed(loops: readonly Loop[], milliseconds: number): Promise<Sample> {
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const counts = await Promise.all(loops.map((loop) => loop(start + milliseconds)));
  const elapsed = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  const count = counts.reduce((sum, each) => sum + each, 0);
  return { rate: (count * 1000) / elapsed, cpu: (user + system) / count };
}
