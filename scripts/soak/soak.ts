import { getEventListeners, setMaxListeners } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../random.js";
import { Account, SoakDevice } from "./device.js";
import { resolveName } from "./names.js";
import { startProxy } from "./proxy.js";
import { RunClock } from "./run-clock.js";
import { runOne } from "./running-device.js";
import { startTaggedGateway, type TaggedGateway } from "./tagged-gateway.js";

export interface SoakOptions {
  readonly devices: number;
  readonly seconds: number;
  readonly seed: number;
}

/** What a soak came to. What must be zero stands under `zeros`. */
export interface SoakReport {
  readonly statusesSent: number;
  readonly statusesCompleted: number;
  readonly commandsReceived: number;
  readonly connects: number;
  readonly reconnections: number;
  readonly networkCuts: number;
  readonly gatewayRestarts: number;
  readonly longestStandstillMs: number;
  readonly errors: ReadonlyMap<string, number>;
  readonly heapBytes: { readonly atStart: number; readonly atEnd: number } | undefined;
  readonly zeros: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

const RESTARTS = 6;
const FREEZES = 4;
/** Longer than a status may take; less in a short soak. */
const LONGEST_FREEZE_MS = 1_500;
/** One device in so many is run by runDevice, all others by loops of their own. */
const RUN_BY_RUN_DEVICE = 5;
const ENDS_WITHIN_MS = 30_000;
/** Long enough for the last handles to be gone, and shorter than any deadline of the library. */
const CLEAN_AFTER_LOOKS = 20;
const LOOKS_EVERY_MS = 20;
/** Beyond a call's bound, for a machine that has other things to do. */
const SCHEDULING_MS = 500;
/** The heap after a soak holds compiled code and grown tables that were not there before it; no more than that. */
const MOST_HEAP_GROWTH_BYTES = 16 * 1024 * 1024;

/** A fleet of devices behind a bad network and a gateway that restarts now and then, for a while. */
export async function soak(options: SoakOptions, collectGarbage: (() => void) | undefined): Promise<SoakReport> {
  collectGarbage?.();
  const heapAtStart = process.memoryUsage().heapUsed;
  const resourcesAtStart = countedResources();
  const listenersAtStart = processListeners();
  const { account, ...measured } = await exercise(options);
  const leftResources = await leftover(resourcesAtStart);
  collectGarbage?.();
  const heapAtEnd = process.memoryUsage().heapUsed;
  const grownTooMuch = Math.max(0, heapAtEnd - heapAtStart - MOST_HEAP_GROWTH_BYTES);
  return {
    ...measured,
    statusesSent: account.statusesSent,
    statusesCompleted: account.statusesCompleted,
    commandsReceived: account.commandsReceived,
    connects: account.connects,
    reconnections: account.reconnections,
    errors: account.errors,
    heapBytes: collectGarbage === undefined ? undefined : { atStart: heapAtStart, atEnd: heapAtEnd },
    zeros: {
      "calls that ended not exactly once": account.callsNotEndedOnce,
      "calls that outlived their bound": account.callsBeyondBound,
      "late or wrong commands": account.wrongCommands,
      "sockets left": leftResources.sockets,
      "timers left": leftResources.timers,
      "other resources left": leftResources.others,
      "listeners left": measured.listenersLeft + processListeners() - listenersAtStart,
      ...(collectGarbage === undefined ? {} : { "bytes of heap above the allowed growth": grownTooMuch }),
    },
    problems: [...account.problems, ...leftResources.names],
  };
}

/** Ends with nothing left running; a function of its own, so that nothing of it is held when the heap is measured. */
async function exercise({ devices, seconds, seed }: SoakOptions) {
  const random = new Random(seed);
  const standstill = monitorEventLoopDelay({ resolution: 10 });
  standstill.enable();
  const longestStandstillMs = (): number => standstill.max / 1e6;
  const clock = new RunClock();
  const account = new Account(() => SCHEDULING_MS + longestStandstillMs(), clock);
  const forgetName = resolveName(random.fork());
  const tagged = await startTaggedGateway({ cleanUpMs: 2 });
  const proxy = await startProxy(tagged.gateway.port, random.fork());
  const over = new AbortController();
  const shared = new AbortController();
  setMaxListeners(0, over.signal, shared.signal);
  const around = {
    tagged,
    port: proxy.port,
    account,
    // About two thousand statuses a second in all, whatever the number of devices.
    longestPauseMs: Math.max(20, devices),
    // When the gateway restarts the whole fleet comes at once, and Node takes one connection per turn of its loop.
    connectTimeoutMs: Math.max(1_000, 10 * devices),
    over: over.signal,
    shared: shared.signal,
  };
  const roles = Array.from({ length: devices }, (_, index) => `r${index}`);
  const lives = roles.map((role, index) =>
    index % RUN_BY_RUN_DEVICE === 0
      ? runOne(role, random.fork(), around)
      : new SoakDevice(role, random.fork(), around).live(),
  );
  const freezing = freezeNowAndThen((seconds * 1_000) / FREEZES, random.fork(), over.signal);
  const pushing = pushNowAndThen(tagged, roles, random.fork(), over.signal);
  const restarting = restartNowAndThen(tagged, (seconds * 1_000) / RESTARTS, random.fork(), over.signal);

  await sleep(seconds * 1_000);
  over.abort();
  const giveUp = new AbortController();
  await Promise.race([
    Promise.all(lives).then(() => giveUp.abort()),
    sleep(ENDS_WITHIN_MS, undefined, { signal: giveUp.signal }).catch(() => undefined),
  ]);
  await pushing;
  await freezing;
  const gatewayRestarts = await restarting;
  await proxy.stop();
  await tagged.stop();
  forgetName();
  standstill.disable();
  clock.stop();
  for (const error of tagged.gateway.errors) account.note(`the gateway: ${String(error)}`);
  return {
    account,
    networkCuts: proxy.cuts,
    gatewayRestarts,
    longestStandstillMs: longestStandstillMs(),
    listenersLeft: [over.signal, shared.signal].reduce((sum, one) => sum + getEventListeners(one, "abort").length, 0),
  };
}

async function pushNowAndThen(
  tagged: TaggedGateway,
  roles: readonly string[],
  random: Random,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    await sleep(random.between(1, 20), undefined, { signal: over }).catch(() => undefined);
    if (!isOver(over)) tagged.push(random.pick(roles));
  }
}

/** The process stands still, as one that computes or was stopped: no timer and no read for that long. */
async function freezeNowAndThen(everyMs: number, random: Random, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await sleep(Math.round(everyMs * (0.5 + random.next())), undefined, { signal: over }).catch(() => undefined);
    if (isOver(over)) return;
    const standstillMs = random.between(50, Math.min(LONGEST_FREEZE_MS, Math.max(50, everyMs / 4)));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, standstillMs);
  }
}

async function restartNowAndThen(
  tagged: TaggedGateway,
  everyMs: number,
  random: Random,
  over: AbortSignal,
): Promise<number> {
  let restarts = 0;
  while (!over.aborted) {
    const afterMs = Math.round(everyMs * (0.5 + random.next()));
    await sleep(afterMs, undefined, { signal: over }).catch(() => undefined);
    if (isOver(over)) break;
    await tagged.gateway.restart({ downMs: random.between(0, 50) });
    restarts += 1;
  }
  return restarts;
}

/** A function, because the compiler takes a property that was looked at before a wait for what it still is. */
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

// ——— what is left afterwards ———

type Counted = ReadonlyMap<string, number>;

function countedResources(): Counted {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function processListeners(): number {
  return process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
}

interface Leftover {
  readonly sockets: number;
  readonly timers: number;
  readonly others: number;
  readonly names: readonly string[];
}

/** What is there that was not there at the start; a closed handle takes a few turns to be gone. */
async function leftover(before: Counted): Promise<Leftover> {
  let left = more(before);
  for (let looks = 0; left.length > 0 && looks < CLEAN_AFTER_LOOKS; looks++) {
    await sleep(LOOKS_EVERY_MS);
    left = more(before);
  }
  const sum = (isMeant: (name: string) => boolean): number =>
    left.reduce((total, [name, count]) => (isMeant(name) ? total + count : total), 0);
  const isSocket = (name: string): boolean => /TCP|Pipe|Connect|Shutdown|Write/.test(name);
  const isTimer = (name: string): boolean => /Timeout|Immediate|Timer/.test(name);
  return {
    sockets: sum(isSocket),
    timers: sum(isTimer),
    others: sum((name) => !isSocket(name) && !isTimer(name)),
    names: left.map(([name, count]) => `left at the end: ${count} ${name}`),
  };
}

function more(before: Counted): (readonly [string, number])[] {
  return [...countedResources()]
    .map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const)
    .filter(([, count]) => count > 0);
}
