import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { liveDisplay } from "../../lib/cli/displays.js";
import { emptyView } from "../../lib/cli/live-view.js";
import { Paper } from "./surroundings.js";

const device = { module: 1000, deviceType: 0, deviceRole: "left", deviceName: "b", priority: 0 };
const view = emptyView({ device, host: "::1", port: 1636, everyMs: 5_000, hex: false });

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

/** What was written since it was last asked. */
function taken(paper: Paper): string {
  const { text } = paper;
  paper.text = "";
  return text;
}

describe("the live view on a terminal", () => {
  it("hides the cursor and draws each line after clearing it, then clears what is below", () => {
    const paper = new Paper(true, 14, 10);
    const display = liveDisplay(paper, view);
    expect(taken(paper)).toBe(
      `${ENTER}\x1b[H\x1b[Kdevice      "b\r\n\x1b[Kgateway     [:\r\n\x1b[Kstate       co\r\n\x1b[Kstatuses    0 \r\n` +
        "\x1b[Kcommands    an\r\n\x1b[Kround trip  no\r\n\x1b[Kreconnects  0;\r\n\x1b[J",
    );
    display.close();
  });

  it("clears nothing below a picture that fills the terminal", () => {
    const paper = new Paper(true, 80, 2);
    const display = liveDisplay(paper, view);
    expect(taken(paper)).toMatch(/\[Kgateway {5}\[::1\]:1636$/);
    display.close();
  });

  it("draws again once a second, soon after an event, and at once when the terminal is resized", () => {
    const paper = new Paper(true, 80, 24);
    const display = liveDisplay(paper, view);
    taken(paper);
    jest.advanceTimersByTime(999);
    expect(taken(paper)).toBe("");
    jest.advanceTimersByTime(1);
    expect(taken(paper)).toContain("\x1b[H");

    display.show({ time: new Date(), event: "connect" });
    display.show({ time: new Date(), event: "reconnect" });
    expect(taken(paper)).toBe("");
    jest.advanceTimersByTime(50);
    expect(taken(paper).split("\x1b[H")).toHaveLength(2);

    paper.columns = 6;
    paper.emit("resize");
    expect(taken(paper)).toMatch(/^\x1b\[H\x1b\[Kdevice\r\n/);
    display.close();
  });

  it("leaves the terminal as it was, with the last picture, and no timer or listener", () => {
    const paper = new Paper(true, 80, 24);
    const display = liveDisplay(paper, view);
    taken(paper);
    display.show({ time: new Date(), event: "connect" });
    display.close();
    const left = taken(paper);
    expect(left.startsWith(`${LEAVE}device      "b" (module 1000`)).toBe(true);
    expect(left).toMatch(/ connected\n$/);
    expect(jest.getTimerCount()).toBe(0);
    expect(paper.listenerCount("resize")).toBe(0);
  });

  it("takes a terminal of unknown size for one of 80 by 24", () => {
    const paper = new Paper(true, 0, 0);
    const display = liveDisplay(paper, view);
    expect(taken(paper)).toContain("reconnects  0; connected anew 0\r\n");
    display.close();
  });
});
