import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import { parse } from "../../lib/cli/command-line.js";
import { generalOptions } from "../../lib/cli/device-options.js";
import { payloadOptions, Payloads } from "../../lib/cli/payload.js";
import type { JobControl, Output, Surroundings } from "../../lib/cli/surroundings.js";

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

/** A shell that stops and continues the command. */
export class Shell extends EventEmitter implements JobControl {
  stops = 0;

  stop(): void {
    this.stops += 1;
  }
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
