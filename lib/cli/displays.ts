import { render, viewAfter, type View } from "./live-view.js";
import type { Output } from "./surroundings.js";
import { jsonOf, lineOf, type WatchEvent } from "./watch-events.js";

/** Shows what happens to a device, in one way or another. */
export interface Display {
  readonly show: (event: WatchEvent) => void;
  /** Leaves the terminal as it was. */
  readonly close: () => void;
}

export function jsonDisplay(output: Output): Display {
  return { show: (event) => output.write(`${jsonOf(event)}\n`), close: () => undefined };
}

export function lineDisplay(output: Output, hex: boolean): Display {
  const show = (event: WatchEvent): void => {
    const line = lineOf(event, hex);
    if (line !== undefined) output.write(`${line}\n`);
  };
  return { show, close: () => undefined };
}

// The terminal's second screen: after a resize it can be drawn from its corner again, whatever became of the old lines.
// Lines are not wrapped there, so that wide characters cannot push the picture down.
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const CORNER = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

const SHORTEST_REDRAW_MS = 50;
const LONGEST_REDRAW_MS = 1_000;
const ROWS_LEFT_BEHIND = 20;

/** One picture, drawn over and over in place; the last one stays when it is closed. */
export function liveDisplay(output: Output, firstView: View): Display {
  let view = firstView;
  let soon: NodeJS.Timeout | undefined;
  const picture = (rows: number): string[] => render(view, new Date(), sizeOr(80, output.columns), rows);
  const draw = (): void => {
    clearTimeout(soon);
    soon = undefined;
    const rows = sizeOr(24, output.rows);
    // Cleared before it is written: behind a line as wide as the terminal there is only its own last character to clear.
    const lines = picture(rows).map((line) => `${CLEAR_LINE}${line}`);
    output.write(`${CORNER}${lines.join("\r\n")}${lines.length < rows ? `\r\n${CLEAR_BELOW}` : ""}`);
  };
  const ticking = setInterval(draw, LONGEST_REDRAW_MS);
  output.on("resize", draw);
  output.write(ENTER);
  draw();
  return {
    show: (event) => {
      view = viewAfter(view, event);
      soon ??= setTimeout(draw, SHORTEST_REDRAW_MS);
    },
    close: () => {
      clearInterval(ticking);
      clearTimeout(soon);
      output.off("resize", draw);
      output.write(`${LEAVE}${picture(ROWS_LEFT_BEHIND).join("\n")}\n`);
    },
  };
}

/** A terminal that does not know its size says 0. */
function sizeOr(usual: number, size: number | undefined): number {
  return size === undefined || size === 0 ? usual : size;
}
