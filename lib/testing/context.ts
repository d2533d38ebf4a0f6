import type { Connection } from "./connection.js";
import type { Journal } from "./journal.js";
import { createJournal } from "./journal.js";
import type { Settings } from "./options.js";
import type { Plans } from "./plans.js";
import { createPlans } from "./plans.js";
import type { Slots } from "./slots.js";
import { createSlots } from "./slots.js";
import type { Timers } from "./timers.js";
import { createTimers } from "./timers.js";

/** Everything that one gateway is made of. */
export interface Context {
  readonly settings: Settings;
  readonly timers: Timers;
  readonly plans: Plans;
  readonly journal: Journal;
  readonly slots: Slots;
  /** Those whose socket is open. */
  readonly connections: Set<Connection>;
  /** TCP connections accepted so far. */
  accepted: number;
  /** What `answer` or the system threw. */
  errors: unknown[];
}

const MOST_ERRORS = 1_000;

export function createContext(settings: Settings): Context {
  const timers = createTimers();
  return {
    settings,
    timers,
    plans: createPlans(),
    journal: createJournal(),
    slots: createSlots(timers),
    connections: new Set(),
    accepted: 0,
    errors: [],
  };
}

export function recordError(context: Context, error: unknown): void {
  context.errors.push(error);
  if (context.errors.length > MOST_ERRORS) context.errors.shift();
}
