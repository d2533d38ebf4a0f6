import { World, type Bounds, type ConnectionClass } from "./world.js";

type Act = (world: World) => void;

/** What a search found. */
export interface Findings {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** Whether every state within the bounds was reached. */
  readonly isComplete: boolean;
  readonly violations: readonly Violation[];
}

interface Violation {
  readonly what: string;
  /** What happened, from the connect on. */
  readonly trace: readonly string[];
}

export interface Effort {
  readonly maxSeconds: number;
  /** Ends the search at the first violation. */
  readonly stopsAtFirst?: boolean;
}

// A Set holds no more than 2^24 entries.
const MAX_STATES = 16_000_000;

/** Breadth first: the first trace to a violation is a shortest one. */
export function explore(
  Class: ConnectionClass,
  bounds: Bounds,
  { maxSeconds, stopsAtFirst = false }: Effort,
): Findings {
  const search = new Search(stopsAtFirst, performance.now() + 1_000 * maxSeconds);
  search.add(World.start(Class, bounds), -1, "connect");
  while (search.step());
  return search.findings();
}

class Search {
  private readonly seen = new Set<number>();
  private readonly parents: number[] = [];
  private readonly labels: string[] = [];
  private readonly settling = new Set<string>();
  private readonly violations = new Map<string, Violation>();
  private frontier: { readonly world: World; readonly at: number }[] = [];
  private transitions = 0;
  private depth = 0;
  private isCutOff = false;

  constructor(
    private readonly stopsAtFirst: boolean,
    private readonly endsAt: number,
  ) {}

  /** One level deeper; false when there is nothing more to look at. */
  step(): boolean {
    const { frontier } = this;
    this.frontier = [];
    this.depth++;
    for (const { world, at } of frontier) {
      for (const [label, act] of world.moves()) {
        this.try(world, at, label, act);
        if (this.isOver()) return false;
      }
    }
    return this.frontier.length > 0;
  }

  findings(): Findings {
    return {
      states: this.seen.size,
      transitions: this.transitions,
      depth: this.depth,
      isComplete: !this.isCutOff,
      violations: [...this.violations.values()],
    };
  }

  add(world: World, parent: number, label: string): void {
    if (world.violation !== undefined) {
      this.report(world.violation, parent, label);
      return;
    }
    const hash = hashOf(world.key());
    if (this.seen.has(hash)) return;
    this.seen.add(hash);
    this.parents.push(parent);
    this.labels.push(label);
    this.frontier.push({ world, at: this.parents.length - 1 });
  }

  /** The move, and the move with each call that a listener may make before each of its effects. */
  private try(world: World, at: number, label: string, act: Act): void {
    const next = this.carryOut(world, at, label, act);
    if (!world.mayCall) return;
    for (let before = 0; before < next.effects; before++) {
      for (const [name, call] of world.callers()) {
        this.carryOut(world, at, `${label}; before effect ${before + 1}: ${name}`, act, { before, act: call });
      }
    }
  }

  private carryOut(world: World, at: number, label: string, act: Act, call?: { before: number; act: Act }): World {
    const next = world.copy();
    this.transitions++;
    try {
      next.move(act, call);
      if (next.violation === undefined) this.checkThatItSettles(next);
    } catch (error) {
      next.violate(`it threw: ${(error as Error).message}`);
    }
    this.add(next, at, label);
    return next;
  }

  private checkThatItSettles(world: World): void {
    const key = world.settlingKey();
    if (this.settling.has(key)) return;
    this.settling.add(key);
    const alone = world.copy();
    alone.checkThatItSettles();
    if (alone.violation !== undefined) world.violate(alone.violation);
  }

  private report(what: string, parent: number, label: string): void {
    const kind = what.replace(/\d+/g, "N");
    if (this.violations.has(kind)) return;
    const trace = [label];
    for (let at = parent; at >= 0; at = this.parents[at] as number) trace.unshift(this.labels[at] as string);
    this.violations.set(kind, { what, trace });
  }

  private isOver(): boolean {
    if (this.stopsAtFirst && this.violations.size > 0) return true;
    if (this.seen.size < MAX_STATES && (this.transitions % 1_024 !== 0 || performance.now() < this.endsAt))
      return false;
    this.isCutOff = true;
    return true;
  }
}

/** 53 bits of two hashes: among ten million states, two that differ share one with a chance of one in a hundred. */
function hashOf(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
    high ^= high >>> 13;
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}
