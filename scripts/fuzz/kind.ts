import { randomFor, type Random } from "./random.js";

/** Counts what came of the inputs, by name. */
export type Tally = (outcome: string) => void;

/** One kind of input: how it is made, what must hold for it, how a failing one is made smaller, and how it is shown. */
export interface Kind<Input> {
  readonly generate: (random: Random) => Input;
  /** Says what is wrong; undefined when all is well. */
  readonly check: (input: Input, tally: Tally) => string | undefined;
  /** Smaller inputs, the smallest first. */
  readonly shrink: (input: Input) => Iterable<Input>;
  readonly show: (input: Input) => string;
}

/** How many smaller inputs may be tried. */
const MAX_SHRINKS = 20_000;

interface Violation {
  readonly index: number;
  readonly problem: string;
  /** The smallest input found that is still wrong. */
  readonly shrunk: string;
}

export interface Outcome {
  readonly inputs: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly violation: Violation | undefined;
}

/** Checks inputs of one kind until the first that is wrong, which is made as small as it gets. */
export function campaign<Input>(kind: Kind<Input>, seed: number, inputs: number): Outcome {
  const counts = new Map<string, number>();
  const tally: Tally = (outcome) => counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  for (let index = 0; index < inputs; index++) {
    const input = kind.generate(randomFor(seed, index));
    const problem = problemOf(kind, input, tally);
    if (problem === undefined) continue;
    const smallest = shrunk(kind, input, problem);
    const violation = { index, problem: smallest.problem, shrunk: kind.show(smallest.input) };
    return { inputs: index + 1, counts, violation };
  }
  return { inputs, counts, violation: undefined };
}

function problemOf<Input>(kind: Kind<Input>, input: Input, tally: Tally): string | undefined {
  try {
    return kind.check(input, tally);
  } catch (thrown) {
    return `it threw: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`;
  }
}

function shrunk<Input>(kind: Kind<Input>, first: Input, firstProblem: string): { input: Input; problem: string } {
  let smallest = { input: first, problem: firstProblem };
  let triesLeft = MAX_SHRINKS;
  let candidates = kind.shrink(first)[Symbol.iterator]();
  while (triesLeft > 0) {
    const next = candidates.next();
    if (next.done === true) break;
    triesLeft -= 1;
    const problem = problemOf(kind, next.value, () => undefined);
    if (problem === undefined) continue;
    smallest = { input: next.value, problem };
    candidates = kind.shrink(next.value)[Symbol.iterator]();
  }
  return smallest;
}

/** The list without one stretch of it, long stretches first. */
export function* withoutStretches<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let length = list.length; length >= 1; length = Math.floor(length / 2)) {
    for (let start = 0; start < list.length; start += length) {
      yield [...list.slice(0, start), ...list.slice(start + length)];
    }
  }
}
