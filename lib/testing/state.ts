import { performance } from "node:perf_hooks";
import nodeTimers from "node:timers";
import { close, type Connection, route } from "./connection.js";
import { type Device, isSameDevice, slotOf } from "./device.js";
import { createPlans, type Plans } from "./faults.js";
import { createJournal, type Journal } from "./journal.js";
import { createModuleHandler, type ModuleHandler } from "./module-handler.js";
import { type Settings } from "./options.js";
import { ALREADY_CONNECTED, commandFrame, HIGHER_PRIORITY_ALREADY_CONNECTED } from "./wire.js";

/** Taken when the module loads: a test's fake timers replace the functions of `node:timers` later, and do not stop the gateway. */
const { clearTimeout, setImmediate, setTimeout } = nodeTimers;

/** All the delays of one gateway. None keeps the process alive, and none outlives the gateway. */
export interface Timers {
  /** Returns a function that cancels it. */
  readonly after: (milliseconds: number, action: () => void) => () => void;
  /** Settles after the delay, which is at least long enough for a socket in this process to read; never after `clear`. */
  readonly pause: (milliseconds: number) => Promise<void>;
  /** Cancels all, and starts no more. */
  readonly clear: () => void;
}

function createTimers(): Timers {
  const timeouts = new Set<NodeJS.Timeout>();
  let isCleared = false;

  function after(milliseconds: number, action: () => void): () => void {
    if (isCleared) return () => undefined;
    const timeout = setTimeout(() => {
      timeouts.delete(timeout);
      action();
    }, milliseconds).unref();
    timeouts.add(timeout);
    return () => {
      timeouts.delete(timeout);
      clearTimeout(timeout);
    };
  }

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      if (milliseconds > 0) after(milliseconds, resolve);
      // The first of the two may still run before the event loop next looks at the sockets.
      else setImmediate(() => setImmediate(resolve));
    });
  }

  function clear(): void {
    isCleared = true;
    for (const timeout of timeouts) clearTimeout(timeout);
    timeouts.clear();
  }

  return { after, pause, clear };
}

/** Settles after the delay, and at once when the signal aborts. It keeps the process alive. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timeout);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timeout = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}

/** Disconnects devices that have been silent for too long. One timer for all, because one for each would slow down every status. */
export function watchForSilence(state: State): void {
  const { silenceMs } = state.settings;
  if (silenceMs !== Infinity) lookAgain(state, silenceMs);
}

function lookAgain(state: State, afterMs: number): void {
  state.timers.after(afterMs, () => {
    const now = performance.now();
    // Timers come before reads: where the process stood still, what came by now may lie unread so far.
    void state.timers.pause(0).then(() => cutSilentOnes(state, now));
  });
}

function cutSilentOnes(state: State, now: number): void {
  for (const device of state.handler.takeSilent(now)) {
    const holder = state.slots.holderOf(device);
    if (holder !== undefined && !state.isEnding) close(state, holder);
  }
  const nextInMs = Math.min(state.handler.nextSilentAt() - performance.now(), state.settings.silenceMs);
  lookAgain(state, Math.ceil(nextInMs));
}

interface Slot {
  readonly priority: number;
  readonly holder: Connection;
}

/** The slots: one connection for each module, type and role. */
interface Slots {
  /** Why the device cannot have its slot; undefined if it can, also if it takes over from a device with a lower priority. */
  readonly objection: (device: Device) => number | undefined;
  /** Puts this connection into the slot and returns the one that was there. */
  readonly take: (device: Device, holder: Connection) => Connection | undefined;
  /** The connection of the device, if it has the same priority. */
  readonly holderOf: (device: Device) => Connection | undefined;
  /** Frees the connection's slot, if it still has one, after the delay. */
  readonly release: (holder: Connection, delayMs: number) => void;
  readonly clear: () => void;
}

function createSlots(timers: Timers): Slots {
  const slots = new Map<string, Slot>();

  function objection(device: Device): number | undefined {
    const taken = slots.get(slotOf(device));
    if (taken === undefined || device.priority < taken.priority) return undefined;
    return device.priority === taken.priority ? ALREADY_CONNECTED : HIGHER_PRIORITY_ALREADY_CONNECTED;
  }

  function take(device: Device, holder: Connection): Connection | undefined {
    const key = slotOf(device);
    const former = slots.get(key)?.holder;
    slots.set(key, { priority: device.priority, holder });
    return former;
  }

  function holderOf(device: Device): Connection | undefined {
    const holder = slots.get(slotOf(device))?.holder;
    return holder?.device !== undefined && isSameDevice(holder.device, device) ? holder : undefined;
  }

  function release(holder: Connection, delayMs: number): void {
    if (delayMs > 0) timers.after(delayMs, () => free(holder));
    else free(holder);
  }

  function free(holder: Connection): void {
    const key = holder.device && slotOf(holder.device);
    if (key !== undefined && slots.get(key)?.holder === holder) slots.delete(key);
  }

  return { objection, take, holderOf, release, clear: () => slots.clear() };
}

/**
 * The real gateway has two threads for all its sockets, and a message occupies one until it is answered. So two
 * messages without an answer keep all others from being read.
 */
const COUNT = 2;

interface Threads {
  /** Runs the task when a thread is free, and keeps that thread until it is done. */
  readonly run: <Value>(task: () => Value | Promise<Value>) => Promise<Value>;
}

function createThreads(): Threads {
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

/** Everything that one gateway is made of. */
export interface State {
  readonly settings: Settings;
  readonly timers: Timers;
  readonly plans: Plans;
  readonly journal: Journal;
  readonly slots: Slots;
  handler: ModuleHandler;
  threads: Threads;
  /** The connections with an open socket. */
  readonly connections: Set<Connection>;
  /** TCP connections accepted so far. */
  accepted: number;
  /** `terminate` was called: it no longer sends or reads. */
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

/** Resets the state as if the process had ended: no device is known, and nothing is under way. */
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
