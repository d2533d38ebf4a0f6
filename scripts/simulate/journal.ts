import type { EventLoop } from "./event-loop.js";

const MAX_LINES = 200;

/** The last events of a run, for people. */
export class Journal {
  private readonly lines: string[] = [];

  constructor(private readonly loop: EventLoop) {}

  note(what: string): void {
    this.lines.push(`${this.loop.now.toFixed(2)} ${what}`);
    if (this.lines.length > 2 * MAX_LINES) this.lines.splice(0, MAX_LINES);
  }

  last(count: number): string[] {
    return this.lines.slice(-count);
  }
}
