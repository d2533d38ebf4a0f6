import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { deliver, Lines, Screen } from "../../lib/cli/output.js";
import { Paper, Shell } from "./surroundings.js";

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe("the live view on a terminal", () => {
  let picture: string[];
  let job: Shell;

  beforeEach(() => {
    [picture, job] = [["a", "b"], new Shell()];
  });

  /** The picture is cut to the terminal's size, as its maker does. */
  function open(paper: Paper): Screen {
    return new Screen(paper, job, (columns, rows) => picture.slice(0, rows).map((line) => line.slice(0, columns)));
  }

  it("hides the cursor and draws each line after clearing it, then clears what is below", () => {
    const paper = new Paper(true, 14, 10);
    const screen = open(paper);
    expect(paper.taken()).toBe(`${ENTER}\x1b[H\x1b[Ka\r\n\x1b[Kb\r\n\x1b[J`);
    screen.close();
  });

  it("clears nothing below a picture that fills the terminal", () => {
    const paper = new Paper(true, 80, 2);
    const screen = open(paper);
    expect(paper.taken()).toMatch(/\[Kb$/);
    screen.close();
  });

  it("draws again once a second, soon after a change, and at once when the terminal is resized", () => {
    const paper = new Paper(true, 80, 24);
    const screen = open(paper);
    paper.taken();
    jest.advanceTimersByTime(999);
    expect(paper.taken()).toBe("");
    jest.advanceTimersByTime(1);
    expect(paper.taken()).toContain("\x1b[H");

    screen.update();
    screen.update();
    expect(paper.taken()).toBe("");
    jest.advanceTimersByTime(50);
    expect(paper.taken().split("\x1b[H")).toHaveLength(2);

    picture = ["longer"];
    paper.columns = 4;
    paper.emit("resize");
    expect(paper.taken()).toBe("\x1b[H\x1b[Klong\r\n\x1b[J");
    screen.close();
  });

  it("restores the shell's screen on Ctrl-Z, and is there again after fg", () => {
    const paper = new Paper(true, 80, 24);
    const screen = open(paper);
    paper.taken();
    job.emit("SIGTSTP");
    expect({ written: paper.taken(), stops: job.stops }).toEqual({ written: LEAVE, stops: 1 });
    jest.advanceTimersByTime(1_000);
    expect(paper.taken()).toBe("");
    job.emit("SIGCONT");
    expect(paper.taken()).toBe(`${ENTER}\x1b[H\x1b[Ka\r\n\x1b[Kb\r\n\x1b[J`);
    screen.close();
  });

  it("draws only the latest picture for a terminal that does not take its output meanwhile", () => {
    const paper = new Paper(true, 80, 24);
    const screen = open(paper);
    paper.taken();
    paper.writableLength = 1;
    jest.advanceTimersByTime(60_000);
    expect(paper.taken()).toBe("");
    paper.writableLength = 0;
    jest.advanceTimersByTime(1_000);
    expect(paper.taken().split("\x1b[H")).toHaveLength(2);
    screen.close();
  });

  it("leaves the terminal as it was, and no timer or listener", () => {
    const paper = new Paper(true, 80, 24);
    const screen = open(paper);
    screen.update();
    paper.taken();
    screen.close();
    expect(paper.taken()).toBe(LEAVE);
    expect(jest.getTimerCount()).toBe(0);
    expect([paper.listenerCount("resize"), job.listenerCount("SIGTSTP"), job.listenerCount("SIGCONT")]).toEqual([
      0, 0, 0,
    ]);
  });

  it("treats a terminal of unknown size as 80 by 24", () => {
    const sizes: number[][] = [];
    new Screen(new Paper(true, 0, 0), job, (...size) => {
      sizes.push(size);
      return [];
    }).close();
    expect(sizes).toEqual([[80, 24]]);
  });
});

describe("lines that nobody reads", () => {
  it("do not pile up, and one line says how many they were", () => {
    const paper = new Paper(false);
    const lines = new Lines(paper, (count) => `${count} lost`);
    lines.write("a");
    paper.writableLength = 1024 * 1024 + 1;
    lines.write("b");
    lines.write("c");
    paper.writableLength = 0;
    lines.write("d");
    lines.write("e");
    expect(paper.lines).toEqual(["a", "2 lost", "d", "e"]);
  });
});

describe("output that must be delivered", () => {
  it("is delivered once it is written, or else there is an error", async () => {
    const paper = new Paper(false);
    const { signal } = new AbortController();
    expect(await deliver(paper, "a", signal)).toBeUndefined();
    expect(paper.text).toBe("a");
    paper.failure = new Error("full");
    expect(await deliver(paper, "a", signal)).toBe(paper.failure);
  });

  it("is no longer waited for when the command is interrupted", async () => {
    const paper = new Paper(false);
    paper.write = () => false;
    const ending = new AbortController();
    const delivered = deliver(paper, "a", ending.signal);
    ending.abort();
    expect(await delivered).toBeUndefined();
  });
});
