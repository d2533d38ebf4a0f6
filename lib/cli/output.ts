import type { JobControl, Output } from "./surroundings.js";

const MAX_UNREAD_BYTES = 1024 * 1024;

/** Writes lines. If nobody reads, lines above a limit are left out, and one line says how many. */
export class Lines {
  private lost = 0;

  constructor(
    private readonly output: Pick<Output, "write" | "writableLength">,
    private readonly lineForLost: (count: number) => string,
  ) {}

  write(line: string): void {
    if ((this.output.writableLength ?? 0) > MAX_UNREAD_BYTES) {
      this.lost += 1;
      return;
    }
    if (this.lost > 0) this.output.write(`${this.lineForLost(this.lost)}\n`);
    this.lost = 0;
    this.output.write(`${line}\n`);
  }
}

/** Writes everything. Returns undefined once it is written or the signal aborts, else why it could not be written. */
export function deliver(output: Output, text: string, signal: AbortSignal): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const onAbort = (): void => resolve(undefined);
    signal.addEventListener("abort", onAbort);
    output.write(text, (error) => {
      signal.removeEventListener("abort", onAbort);
      resolve(error ?? undefined);
    });
  });
}

// The terminal's alternate screen: after a resize it can be redrawn from its corner, whatever happened to the old lines.
// Lines are not wrapped there, so wide characters cannot push the picture down.
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const CORNER = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

const SOON_MS = 50;
const MAX_REDRAW_MS = 1_000;

/** One picture on a terminal, drawn over and over in place. */
export class Screen {
  private soon: NodeJS.Timeout | undefined;
  private readonly ticking: NodeJS.Timeout;
  /** Whether the shell's own screen is shown again. */
  private isAway = false;

  constructor(
    private readonly output: Output,
    private readonly job: JobControl,
    private readonly picture: (columns: number, rows: number) => readonly string[],
  ) {
    this.ticking = setInterval(this.draw, MAX_REDRAW_MS);
    output.on("resize", this.draw);
    job.on("SIGTSTP", this.onStop);
    job.on("SIGCONT", this.enter);
    this.enter();
  }

  /** The picture has changed. */
  update(): void {
    this.soon ??= setTimeout(this.draw, SOON_MS);
  }

  /** Restores the terminal. */
  close(): void {
    clearInterval(this.ticking);
    clearTimeout(this.soon);
    this.output.off("resize", this.draw);
    this.job.off("SIGTSTP", this.onStop);
    this.job.off("SIGCONT", this.enter);
    this.output.write(LEAVE);
  }

  private readonly enter = (): void => {
    this.isAway = false;
    this.output.write(ENTER);
    this.draw();
  };

  private readonly onStop = (): void => {
    this.isAway = true;
    this.output.write(LEAVE);
    this.job.stop();
  };

  private readonly draw = (): void => {
    clearTimeout(this.soon);
    this.soon = undefined;
    // When the process continues, a timer may fire before SIGCONT is handled.
    if (this.isAway) return;
    // A terminal that does not take the output gets only the next picture.
    if ((this.output.writableLength ?? 0) > 0) return;
    const rows = sizeOr(24, this.output.rows);
    // Cleared before it is written: after a line as wide as the terminal, clearing would remove its last character.
    const lines = this.picture(sizeOr(80, this.output.columns), rows).map((line) => `${CLEAR_LINE}${line}`);
    this.output.write(`${CORNER}${lines.join("\r\n")}${lines.length < rows ? `\r\n${CLEAR_BELOW}` : ""}`);
  };
}

/** A terminal that does not know its size says 0. */
function sizeOr(usual: number, size: number | undefined): number {
  return size === undefined || size === 0 ? usual : size;
}
