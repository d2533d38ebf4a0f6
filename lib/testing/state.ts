import { type Connection, route } from "./connection.js";
import { type Device } from "./device.js";
import { commandFrame } from "./wire.js";
import { createJournal, type Journal } from "./journal.js";
import { createModuleHandler, type ModuleHandler } from "./module-handler.js";
import { type Settings } from "./options.js";
import { createPlans, type Plans } from "./faults.js";
import { createSlots, type Slots } from "./slots.js";
import { createThreads, type Threads } from "./threads.js";
import { createTimers, type Timers } from "./timers.js";

/** Everything that one gateway is made of. */
export interface State {
  readonly settings: Settings;
  readonly timers: Timers;
  readonly plans: Plans;
  readonly journal: Journal;
  readonly slots: Slots;
  handler: ModuleHandler;
  threads: Threads;
  /** Those whose socket is open. */
  readonly connections: Set<Connection>;
  /** TCP connections accepted so far. */
  accepted: number;
  /** It has been told to end: it says nothing and hears nothing any more. */
  isEnding: boolean;
  /** What `answer`, a codec or the system threw. */
  errors: unknown[];
}

const MAX_ERRORS = 1_000;

export function createState(settings: Settings): State {
  const timers = createTimers();
  const state: Omit<State, "handler"> = {
    settings,
    timers,
    plans: createPlans(),
    journal: createJournal(),
    slots: createSlots(timers),
    threads: createThreads(),
    connections: new Set(),
    accepted: 0,
    isEnding: false,
    errors: [],
  };
  return Object.assign(state, { handler: createHandler(state as State) });
}

/** As a process that has ended: nothing is known of any device, and nothing is under way. */
export function startAfresh(state: State): void {
  state.handler.close();
  state.handler = createHandler(state);
  state.threads = createThreads();
  state.slots.clear();
  state.isEnding = false;
}

function createHandler(state: State): ModuleHandler {
  const push = (device: Device, command: Uint8Array): void => route(state, device, commandFrame(device, command));
  return createModuleHandler(state.settings, state.timers, push, (error) => recordError(state, error));
}

export function recordError(state: State, error: unknown): void {
  state.errors.push(error);
  if (state.errors.length > MAX_ERRORS) state.errors.shift();
}
