import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";
import type { Output, Surroundings } from "../../lib/cli/surroundings.js";

/** A terminal's or a pipe's end of a command: it keeps what is written. */
export class Paper extends EventEmitter implements Output {
  text = "";

  constructor(
    readonly isTTY: boolean,
    public columns?: number,
    public rows?: number,
  ) {
    super();
  }

  write(text: string): boolean {
    this.text += text;
    return true;
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }
}

/** What a command needs around it, in the spec's own hands. */
export interface Stage extends Surroundings {
  readonly input: PassThrough & { isTTY?: boolean };
  readonly output: Paper;
  readonly errors: Paper;
  /** As Ctrl-C does. */
  readonly interrupt: () => void;
}

export function createStage(output = new Paper(false), canRedraw = true): Stage {
  const ending = new AbortController();
  return {
    input: new PassThrough(),
    output,
    errors: new Paper(false),
    signal: ending.signal,
    canRedraw,
    interrupt: () => ending.abort(),
  };
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
