import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { closeSync, constants, openSync, statSync, writeSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { every, getCommand, runDevice, type DiagnosticsMessages, type InternalClientError } from "../index.js";
import { CommandLineError, type Command, type Given } from "./command-line.js";
import {
  deviceOptions,
  generalOptions,
  MAX_MILLISECONDS,
  readDeviceOptions,
  type DeviceOptions,
} from "./device-options.js";
import { Lines, Screen } from "./output.js";
import { payloadOptions, Payloads } from "./payload.js";
import { readStatus, statusOptions, statusSourceOf, type StatusSource } from "./status-source.js";
import { ExitCode, exitCodeOf, type Surroundings } from "./surroundings.js";
import { clock, explain, jsonOf, oneLine, timestamp } from "./text.js";
import {
  emptyView,
  ending,
  jsonLineOf,
  render,
  viewAfter,
  wordsOf,
  type Watched,
  type WatchEvent,
} from "./watch-view.js";

const DEFAULT_EVERY_SECONDS = 5;
const WAYS = "--status TEXT, --status-file FILE or --status-hex HEX";

export const watchCommand = {
  command: "watch",
  options: {
    ...statusOptions,
    "status-file": { value: "FILE", help: "the status is the content of the file, read again for each status" },
    every: { value: "SECONDS", help: "how often a status is sent", default: DEFAULT_EVERY_SECONDS.toString() },
    count: { value: "NUMBER", help: "end after that many statuses", default: "no limit" },
    log: { value: "FILE", help: "append everything that happens to this file; with --json, as JSON lines" },
    ...deviceOptions("watch"),
    ...payloadOptions,
    ...generalOptions,
  },
  usage: "watch --module NUMBER (--status TEXT | --status-file FILE | --status-hex HEX) [OPTIONS]",
  summary: "Act as a device: send a status every few seconds and show the commands as they come",
  notes: [
    "At a terminal it shows a live view, and at the end the latest 200 lines; elsewhere it prints a line for each event. Payloads are JSON, text in quotes, or hex digits after the word hex. If nobody reads the output fast enough, events are left out, and a line says how many.",
    "When the connection is lost it connects again after a pause: 1 s, then twice as long each time, up to 30 s. It gives up when trying again cannot help: module or type not supported, or a call that the library refuses. With --count, a failed status sets the exit code only if it is the last one.",
    "The gateway refuses a second device with the same module, type and role. send and watch use different roles; to run one of them twice, give --role. A gateway may disconnect a device that has been silent for 15 s, so keep --every below that.",
  ],
  events: [
    ["connect, reconnect", ""],
    [
      "status",
      "bytes, hex, text where it is UTF-8, value where it is JSON or a known module's; problem where it is not",
    ],
    ["command", "kind (answer or push), roundTripMs of an answer, and the payload's fields as for a status"],
    ["drop", "reason"],
    ["failure", "code, returnCode, reason, family, message"],
    ["unreadable", "message: why there was no status to send"],
    ["retry", "afterMs: how long until it connects again"],
    ["lost", "events: how many were left out because nobody read the output"],
  ],
  examples: [
    `fleet-internal-client watch --module 1000 --status '{"pressed": true}'`,
    "fleet-internal-client watch --host 10.0.0.5 --module 2 --type 4 --role left_button --status-file status.json --every 1",
    "fleet-internal-client watch --module 1234 --status hello --count 3 --json",
  ],
  run: (given, surroundings) => watch(given, surroundings),
} as const satisfies Command;

/** How long to wait before connecting again, after that many failures in a row: 1 s, then twice as long each time, up to 30 s. */
export function retryPauseMs(failures: number): number {
  return Math.min(30_000, 1_000 * 2 ** (failures - 1));
}

interface WatchOptions extends DeviceOptions {
  readonly source: StatusSource;
  readonly everyMs: number;
  readonly count: number;
  readonly payloads: Payloads;
  readonly pauseMs: (failures: number) => number;
}

/** Runs a device until it is stopped: sends statuses, and shows what happens. */
export async function watch(given: Given, surroundings: Surroundings, pauseMs = retryPauseMs): Promise<number> {
  const source = statusSourceOf("watch", given, WAYS);
  const options: WatchOptions = {
    ...readDeviceOptions("watch", given),
    source,
    everyMs: 1_000 * (given.positive("every", "seconds", MAX_MILLISECONDS / 1_000) ?? DEFAULT_EVERY_SECONDS),
    count: given.integer("count", 1, 2 ** 32) ?? Infinity,
    payloads: new Payloads(given),
    pauseMs,
  };
  try {
    // A missing file is probably misspelt: say so at once, and not every few seconds.
    if (!isFifo(source)) await nextStatus(options, surroundings);
  } catch (error) {
    if (surroundings.signal.aborted) return ExitCode.DONE;
    throw error;
  }
  const watched = { ...options.config, ...options };
  const log = openLog(given, watched);
  const display = displayFor(given, watched, surroundings);
  let outcome: Ending;
  try {
    outcome = await new Watch(options, surroundings, [display, ...log]).run();
  } finally {
    for (const each of [display, ...log]) each.close();
  }
  if (outcome.message !== undefined) surroundings.errors.write(`${outcome.message}\n`);
  return outcome.code;
}

/** A FIFO can be read only once. */
function isFifo(source: StatusSource): boolean {
  return source.from === "file" && statSync(source.path, { throwIfNoEntry: false })?.isFIFO() === true;
}

async function nextStatus({ source, payloads, config }: WatchOptions, surroundings: Surroundings): Promise<Uint8Array> {
  return payloads.toSend(await readStatus(source, surroundings), config.device);
}

/** Shows a device's events, in one of the formats. */
interface Display {
  readonly show: (event: WatchEvent) => void;
  readonly close: () => void;
}

function displayFor(given: Given, watched: Watched, { output, job, canRedraw }: Surroundings): Display {
  if (!given.has("json") && output.isTTY === true && canRedraw) return liveDisplay(watched, output, job);
  const lines = new Lines(output, (events) => lineForLost(events, given.has("json")));
  const show = (event: WatchEvent): void => {
    if (given.has("json")) lines.write(jsonLineOf(event, watched));
    else if (event.event !== "status") lines.write(`${clock(event.time)} ${wordsOf(event, watched)}`);
  };
  return { show, close: () => undefined };
}

function lineForLost(events: number, isJson: boolean): string {
  const time = new Date();
  if (isJson) return jsonOf({ time, event: "lost", events });
  return `${clock(time)} (${events} events that nobody read are left out)`;
}

function liveDisplay(watched: Watched, output: Surroundings["output"], job: Surroundings["job"]): Display {
  let view = emptyView;
  const screen = new Screen(output, job, (columns, rows) => render(view, watched, performance.now(), columns, rows));
  return {
    show: (event) => {
      view = viewAfter(view, event, watched);
      screen.update();
    },
    close: () => {
      screen.close();
      output.write(`${ending(view, watched, performance.now()).join("\n")}\n`);
    },
  };
}

/** @throws CommandLineError when it cannot be opened */
function openLog(given: Given, watched: Watched): Display[] {
  const path = given.nonEmpty("log");
  if (path === undefined) return [];
  const file = openForAppending(path);
  const isJson = given.has("json");
  const lineOf = (event: WatchEvent): string =>
    isJson ? jsonLineOf(event, watched) : `${timestamp(event.time)} ${wordsOf(event, watched)}`;
  return [{ show: (event) => void writeSync(file, `${lineOf(event)}\n`), close: () => closeSync(file) }];
}

function openForAppending(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK } = constants;
  try {
    // A FIFO that nobody reads would otherwise block the process.
    return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK);
  } catch (error) {
    throw new CommandLineError(`the log cannot be written: ${(error as Error).message}`);
  }
}

interface Ending {
  readonly code: number;
  readonly message?: string;
}

/** An event without its time. */
type Happened = WatchEvent extends infer Event ? (Event extends unknown ? Omit<Event, "time" | "at"> : never) : never;

/** One device, from its first connect to its end. */
class Watch {
  private readonly ending = new AbortController();
  private readonly signal: AbortSignal;
  private statusesRead = 0;
  private latest: Uint8Array = new Uint8Array();
  private sentAt = 0;
  private readonly pauses = new WeakMap<InternalClientError, number>();
  /** The error of the last status, or of the connect for it. */
  private failure: InternalClientError | undefined;
  private logFailure: Error | undefined;

  constructor(
    private readonly options: WatchOptions,
    private readonly surroundings: Surroundings,
    private readonly displays: readonly Display[],
  ) {
    this.signal = AbortSignal.any([surroundings.signal, this.ending.signal]);
  }

  async run(): Promise<Ending> {
    const { config, timeoutMs } = this.options;
    const stopObserving = this.observe();
    const retryDelayMs = (failures: number, error: InternalClientError) => this.pauseAfter(failures, error);
    // Statuses are sent when they are read, and only then.
    const options = { timeoutMs, retryDelayMs, repeatAfterMs: MAX_MILLISECONDS, signal: this.signal };
    for await (const outcome of runDevice(config, this.statuses(), options)) {
      if (outcome.isErr()) this.tellFailure(outcome.error);
      if (this.failure?.family === "usage") break;
    }
    stopObserving();
    if (this.logFailure !== undefined) {
      const message = oneLine(`the log cannot be written: ${this.logFailure.message}`);
      return { code: ExitCode.UNEXPECTED, message };
    }
    if (this.failure === undefined || this.signal.aborted) return { code: ExitCode.DONE };
    return { code: exitCodeOf(this.failure), message: explain(this.failure) };
  }

  private tell(happened: Happened): void {
    // Events caused by stopping, such as an aborted status, are not shown.
    if (this.signal.aborted) return;
    try {
      for (const { show } of this.displays) show({ time: new Date(), at: performance.now(), ...happened });
    } catch (error) {
      this.logFailure = error as Error;
      this.ending.abort();
    }
  }

  private tellFailure(error: InternalClientError): void {
    this.failure = error;
    this.tell({ event: "failure", error });
    const afterMs = this.pauses.get(error);
    if (afterMs !== undefined) this.tell({ event: "retry", afterMs });
  }

  /** Undefined if another attempt would only fail again, or was not asked for. */
  private pauseAfter(failures: number, error: InternalClientError): number | undefined {
    const isFinal = error.code === "MODULE_NOT_SUPPORTED" || error.code === "DEVICE_TYPE_NOT_SUPPORTED";
    if (isFinal || this.statusesRead >= this.options.count) return undefined;
    const afterMs = this.options.pauseMs(failures);
    this.pauses.set(error, afterMs);
    return afterMs;
  }

  private statuses(): AsyncIterable<Uint8Array> {
    const { everyMs, count } = this.options;
    const readings = every(everyMs, () => this.read())[Symbol.asyncIterator]();
    const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
      while (this.statusesRead < count) {
        const reading = await readings.next();
        if (reading.done === true) break;
        if (reading.value === undefined) continue;
        this.statusesRead += 1;
        this.latest = reading.value;
        return { done: false, value: reading.value };
      }
      return { done: true, value: undefined };
    };
    // Not an async generator: that could not be left while it waits for the next status.
    const leave = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
      await readings.return?.();
      return { done: true, value: undefined };
    };
    return { [Symbol.asyncIterator]: () => ({ next, return: leave }) };
  }

  private async read(): Promise<Uint8Array | undefined> {
    try {
      return await nextStatus(this.options, this.surroundings);
    } catch (error) {
      if (!(error instanceof CommandLineError)) throw error;
      // A file that is being rewritten just now is there again the next time.
      this.tell({ event: "unreadable", problem: error.message });
      return undefined;
    }
  }

  /** Reports the library's diagnostics of this device, until the returned function is called. */
  private observe(): () => void {
    const stops = [
      this.listen("connect", () => this.tell({ event: "connect" })),
      this.listen("status", () => {
        this.sentAt = performance.now();
        this.tell({ event: "status", status: this.latest });
      }),
      this.listen("command", ({ client, kind }) => {
        const roundTripMs = kind === "answer" ? performance.now() - this.sentAt : undefined;
        if (kind === "answer") this.failure = undefined;
        // This is called when the command arrives, so the latest command is this one.
        const command = getCommand(client);
        if (command.isOk()) this.tell({ event: "command", kind, command: command.value as Uint8Array, roundTripMs });
      }),
      this.listen("drop", ({ reason }) => this.tell({ event: "drop", reason })),
      this.listen("reconnect", () => this.tell({ event: "reconnect" })),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  private listen<Name extends keyof DiagnosticsMessages>(
    name: Name,
    listener: (message: DiagnosticsMessages[Name]) => void,
  ): () => void {
    const { device, host, port } = this.options.config;
    const onMessage = (message: unknown): void => {
      const told = message as DiagnosticsMessages[Name];
      const { client } = told;
      if (client.host === host && client.port === port && isDeepStrictEqual(client.device, device)) listener(told);
    };
    subscribe(`fleet-internal-client:${name}`, onMessage);
    return () => unsubscribe(`fleet-internal-client:${name}`, onMessage);
  }
}
