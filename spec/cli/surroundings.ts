import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { jest } from "@jest/globals";
import { parse } from "../../lib/cli/command-line.js";
import { generalOptions } from "../../lib/cli/device-options.js";
import { main } from "../../lib/cli/main.js";
import { payloadOptions, Payloads } from "../../lib/cli/payload.js";
import type { JobControl, Output, Surroundings } from "../../lib/cli/surroundings.js";
import type { TestingGateway } from "../../lib/testing.js";
import { endAll as endOpened } from "../support/opened.js";

/** A terminal's or a pipe's end of a command: it keeps what is written. */
export class Paper extends EventEmitter implements Output {
  text = "";
  /** What nobody has taken yet. */
  writableLength = 0;
  failure: Error | undefined;

  constructor(
    readonly isTTY: boolean,
    public columns?: number,
    public rows?: number,
  ) {
    super();
  }

  write(text: string, written?: (error?: Error) => void): boolean {
    if (this.failure === undefined) this.text += text;
    written?.(this.failure);
    return true;
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }

  /** What was written since it was last asked. */
  taken(): string {
    const { text } = this;
    this.text = "";
    return text;
  }
}

export class Shell extends EventEmitter implements JobControl {
  readonly stop = jest.fn();
}

/** What a command needs around it, in the spec's own hands. */
export interface Stage extends Surroundings {
  readonly input: PassThrough & { isTTY?: boolean };
  readonly output: Paper;
  readonly errors: Paper;
  readonly job: Shell;
}

export function createStage(output = new Paper(false), canRedraw = true): Stage {
  const ending = new AbortController();
  return {
    input: new PassThrough(),
    output,
    errors: new Paper(false),
    signal: ending.signal,
    interrupt: () => ending.abort(),
    job: new Shell(),
    canRedraw,
  };
}

export interface Running {
  readonly stage: Stage;
  readonly ended: Promise<number>;
}

const running = new Set<Running>();
const folders = new Set<string>();

/** Has a command interrupted by `endAll`. */
export function keepRunning(stage: Stage, ended: Promise<number>): Running {
  const command = { stage, ended };
  running.add(command);
  return command;
}

/** Starts the command of that line; `endAll` interrupts it. */
export function start(line: string, stage = createStage()): Running {
  return keepRunning(stage, main(argumentsOf(line), stage, "1.2.3"));
}

/** What the command of that line comes to, which ends by itself. */
export async function run(line: string, stage = createStage()) {
  const code = await start(line, stage).ended;
  return { code, output: stage.output.text, errors: stage.errors.text };
}

/** As a shell takes a line apart that has no more than blanks and single quotes. */
export function argumentsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|[^\s']+/g)].map(([word, quoted]) => quoted ?? word);
}

/** The path of a file that is not there yet, in a folder of its own. */
export function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "command-line-"));
  folders.add(folder);
  return join(folder, "status");
}

/** For `afterEach`: ends the commands, the clients and the gateways, and removes the temporary files. */
export async function endAll(): Promise<void> {
  for (const { stage } of running) stage.interrupt();
  await Promise.all([...running].map(({ ended }) => ended));
  running.clear();
  await endOpened();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

export type Plan = Parameters<TestingGateway["misbehave"]>;

export function closes(times: number): Plan {
  return ["status", { do: "close" }, { times }];
}

export function refuses(responseType: number, times = 1): Plan {
  return ["connect", { do: "refuse", responseType }, { times }];
}

/** Payloads as these options of a command line have them read and shown. */
export function payloadsWith(...args: string[]): Payloads {
  return new Payloads(parse({ command: "watch", options: { ...payloadOptions, ...generalOptions } }, args));
}

/** The JSON lines written so far, without the time. */
export function eventsOf({ output }: Stage): Record<string, unknown>[] {
  return output.lines.map((line) => {
    const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
    if (typeof time !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time)) throw new Error(line);
    return rest;
  });
}

/** The lines written so far, without the time of day. */
export function wordsOf({ output }: Stage): string[] {
  return output.lines.map((line) => {
    const [, words] = /^\d\d:\d\d:\d\d\.\d{3} (.*)$/.exec(line) ?? [];
    if (words === undefined) throw new Error(`a line without a time: ${line}`);
    return words;
  });
}
