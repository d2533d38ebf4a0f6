import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { setTimeout as sleep } from "node:timers/promises";
import {
  connect,
  destroy,
  exchange,
  getCommand,
  type ClientHandle,
  type DiagnosticsMessages,
  type InternalClientError,
} from "../index.js";
import { CommandLineError, type Given, type Syntax } from "./command-line.js";
import {
  deviceOptions,
  generalOptions,
  LARGEST_MILLISECONDS,
  readDeviceOptions,
  type DeviceOptions,
} from "./device-options.js";
import { jsonDisplay, lineDisplay, liveDisplay, type Display } from "./displays.js";
import { ExitCode, exitCodeOf } from "./exit-code.js";
import { emptyView } from "./live-view.js";
import { oneLine } from "./payload.js";
import { readStatus, statusOptions, statusSourceOf, type StatusSource } from "./status-source.js";
import type { Surroundings } from "./surroundings.js";
import type { WatchEvent } from "./watch-events.js";

const DEFAULT_EVERY_SECONDS = 5;

export const watchSyntax = {
  command: "watch",
  options: {
    ...statusOptions,
    "status-file": { value: "FILE", help: "the status is what the file holds, read anew each time" },
    every: { value: "SECONDS", help: `how often a status is sent (default ${DEFAULT_EVERY_SECONDS})` },
    count: { value: "NUMBER", help: "end after that many statuses" },
    ...deviceOptions,
    ...generalOptions,
  },
} as const satisfies Syntax;

const WAYS = "--status TEXT, --status-file FILE or --status-hex HEX";

/** How long to wait before connecting anew, after that many failures in a row: 1 s, then twice as long each time, up to 30 s. */
export function retryPauseMs(failures: number): number {
  return Math.min(30_000, 1_000 * 2 ** (failures - 1));
}

/** Is a device until it is ended: sends statuses and shows what comes. */
export async function watch(given: Given, surroundings: Surroundings, pauseMs = retryPauseMs): Promise<number> {
  const source = statusSourceOf("watch", given, WAYS);
  const options: WatchOptions = {
    ...readDeviceOptions("watch", given),
    source,
    everyMs: 1_000 * (given.positive("every", "seconds", LARGEST_MILLISECONDS / 1_000) ?? DEFAULT_EVERY_SECONDS),
    count: given.integer("count", 1, 2 ** 32) ?? Infinity,
    pauseMs,
  };
  // A file that is not there is most likely misspelt: better said at once than every few seconds.
  await readStatus(source, surroundings);
  const display = displayFor(given, options, surroundings);
  let error: InternalClientError | undefined;
  try {
    error = await run({ options, surroundings, display, sent: 0, failures: 0 });
  } finally {
    display.close();
  }
  if (error === undefined) return ExitCode.DONE;
  surroundings.errors.write(`${oneLine(error.message)}\n`);
  return exitCodeOf(error);
}

interface WatchOptions extends DeviceOptions {
  readonly source: StatusSource;
  readonly everyMs: number;
  readonly count: number;
  readonly pauseMs: (failures: number) => number;
}

interface Watch {
  readonly options: WatchOptions;
  readonly surroundings: Surroundings;
  readonly display: Display;
  sent: number;
  /** Clients lost or not connected since a status was last answered. */
  failures: number;
}

type Happened = WatchEvent extends infer Event ? (Event extends unknown ? Omit<Event, "time"> : never) : never;

function tell(watch: Watch, happened: Happened): void {
  // What the end itself brings about, such as the status in hand being given up, is no news.
  if (!watch.surroundings.signal.aborted) watch.display.show({ time: new Date(), ...happened });
}

function displayFor(given: Given, options: WatchOptions, { output, canRedraw }: Surroundings): Display {
  const hex = given.has("hex");
  if (given.has("json")) return jsonDisplay(output);
  if (output.isTTY !== true || !canRedraw) return lineDisplay(output, hex);
  const { host, port, device } = options.config;
  const about = { host, port, device, everyMs: options.everyMs, hex };
  return liveDisplay(output, emptyView(about));
}

/** One client after the other; gives the error that ended it, if one did. */
async function run(watch: Watch): Promise<InternalClientError | undefined> {
  const { options, surroundings } = watch;
  const { signal } = surroundings;
  for (;;) {
    const connected = await connect({ ...options.config, signal });
    if (connected.isErr()) {
      if (signal.aborted) return undefined;
      tell(watch, { event: "failure", error: connected.error });
    }
    const error = connected.isErr() ? connected.error : await useClient(watch, connected.value);
    if (error === undefined || isFinal(error) || watch.sent >= options.count) return error;
    watch.failures += 1;
    const afterMs = options.pauseMs(watch.failures);
    tell(watch, { event: "retry", afterMs });
    await pause(afterMs, signal);
    if (signal.aborted) return undefined;
  }
}

/** Whether trying again would only give the same. */
function isFinal({ family, code }: InternalClientError): boolean {
  return family === "usage" || code === "MODULE_NOT_SUPPORTED" || code === "DEVICE_TYPE_NOT_SUPPORTED";
}

async function useClient(watch: Watch, client: ClientHandle): Promise<InternalClientError | undefined> {
  const stopObserving = observe(watch, client);
  try {
    return await sendStatuses(watch, client);
  } finally {
    stopObserving();
    await destroy(client);
  }
}

/** Gives the error that ended it: the client's end, the last status's, or one that will not change. */
async function sendStatuses(watch: Watch, client: ClientHandle): Promise<InternalClientError | undefined> {
  const { options, surroundings } = watch;
  const { signal } = surroundings;
  for (;;) {
    const startedAt = performance.now();
    const status = await nextStatus(watch);
    if (status !== undefined) {
      const error = await sendOne(watch, client, status);
      if (signal.aborted) return undefined;
      const isOver = watch.sent >= options.count;
      if (isOver || (error !== undefined && (isFinal(error) || isDestroyed(client)))) return error;
    }
    await pause(startedAt + options.everyMs - performance.now(), signal);
    if (signal.aborted) return undefined;
  }
}

async function nextStatus(watch: Watch): Promise<Uint8Array | undefined> {
  try {
    return await readStatus(watch.options.source, watch.surroundings);
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    // A file that is just being written anew is there again the next time.
    tell(watch, { event: "unreadable", problem: error.message });
    return undefined;
  }
}

async function sendOne(
  watch: Watch,
  client: ClientHandle,
  status: Uint8Array,
): Promise<InternalClientError | undefined> {
  const { timeoutMs } = watch.options;
  const { signal } = watch.surroundings;
  tell(watch, { event: "status", status });
  watch.sent += 1;
  const outcome = await exchange(client, status, timeoutMs === undefined ? { signal } : { timeoutMs, signal });
  if (outcome.isOk()) {
    watch.failures = 0;
    return undefined;
  }
  tell(watch, { event: "failure", error: outcome.error });
  return outcome.error;
}

function isDestroyed(client: ClientHandle): boolean {
  const command = getCommand(client);
  return command.isErr() && command.error.code === "CONTEXT_INCORRECT";
}

/** Tells what the library's diagnostics say of this client, until the function given back is called. */
function observe(watch: Watch, client: ClientHandle): () => void {
  let sentAt = 0;
  tell(watch, { event: "connect" });
  const tellCommand = (kind: "answer" | "push"): void => {
    const roundTripMs = kind === "answer" ? performance.now() - sentAt : undefined;
    // The diagnostics come at the command's arrival, so the most recent command is just this one.
    const command = getCommand(client);
    if (command.isOk()) tell(watch, { event: "command", kind, command: command.value, roundTripMs });
  };
  // What the gateway pushed right behind its connect response.
  tellCommand("push");

  const stops = [
    listen("status", client, () => (sentAt = performance.now())),
    listen("command", client, ({ kind }) => tellCommand(kind)),
    listen("drop", client, ({ reason }) => tell(watch, { event: "drop", reason })),
    listen("reconnect", client, () => tell(watch, { event: "reconnect" })),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function listen<Name extends keyof DiagnosticsMessages>(
  name: Name,
  client: ClientHandle,
  listener: (message: DiagnosticsMessages[Name]) => void,
): () => void {
  const channel = `fleet-internal-client:${name}`;
  const onMessage = (message: unknown): void => {
    const told = message as DiagnosticsMessages[Name];
    if (told.client === client) listener(told);
  };
  subscribe(channel, onMessage);
  return () => unsubscribe(channel, onMessage);
}

/** Ends early, and without an error, when the signal aborts. */
async function pause(forMs: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.max(0, forMs), undefined, { signal }).catch(() => undefined);
}
