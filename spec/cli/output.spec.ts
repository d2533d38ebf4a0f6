import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { deliver, Lines, Screen } from "../../lib/cli/output.js";
import { Paper, Shell } from "./surroundings.js";

const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const PICTURE = "\x1b[H\x1b[Kaaaa\r\n\x1b[Kb\r\n\x1b[J";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe("the live view on a terminal", () => {
  /** The picture is cut to the terminal's size, as its maker does. */
  function open(columns: number, rows: number) {
    const [paper, job] = [new Paper(true, columns, rows), new Shell()];
    const screen = new Screen(paper, job, (width, height) =>
      ["aaaa", "b"].slice(0, height).map((line) => line.slice(0, width)),
    );
    return { paper, job, screen, first: paper.taken() };
  }

  it("hides the cursor and draws each line after clearing it, then clears what is below", () => {
    const { screen, first } = open(14, 10);
    expect(first).toBe(`${ENTER}${PICTURE}`);
    screen.close();
  });

  it("clears nothing below a picture that fills the terminal", () => {
    const { screen, first } = open(80, 2);
    expect(first).toMatch(/\[Kb$/);
    screen.close();
  });

  it("draws again once a second, soon after a change, and at once when the terminal is resized", () => {
    const { paper, screen } = open(80, 24);
    jest.advanceTimersByTime(999);
    expect(paper.taken()).toBe("");
    jest.advanceTimersByTime(1);
    expect(paper.taken()).toBe(PICTURE);

    screen.update();
    screen.update();
    expect(paper.taken()).toBe("");
    jest.advanceTimersByTime(50);
    expect(paper.taken()).toBe(PICTURE);

    paper.columns = 3;
    paper.emit("resize");
    expect(paper.taken()).toBe("\x1b[H\x1b[Kaaa\r\n\x1b[Kb\r\n\x1b[J");
    screen.close();
  });

  it("restores the shell's screen on Ctrl-Z, and is there again after fg", () => {
    const { paper, job, screen } = open(80, 24);
    job.emit("SIGTSTP");
    expect(paper.taken()).toBe(LEAVE);
    expect(job.stop).toHaveBeenCalledTimes(1);
    jest.advanceTimersByTime(1_000);
    expect(paper.taken()).toBe("");
    job.emit("SIGCONT");
    expect(paper.taken()).toBe(`${ENTER}${PICTURE}`);
    screen.close();
  });

  it("draws only the latest picture for a terminal that does not take its output meanwhile", () => {
    const { paper, screen } = open(80, 24);
    paper.writableLength = 1;
    jest.advanceTimersByTime(60_000);
    expect(paper.taken()).toBe("");
    paper.writableLength = 0;
    jest.advanceTimersByTime(1_000);
    expect(paper.taken()).toBe(PICTURE);
    screen.close();
  });

  it("leaves the terminal as it was, and no timer or listener", () => {
    const { paper, job, screen } = open(80, 24);
    screen.update();
    screen.close();
    expect(paper.taken()).toBe(LEAVE);
    expect(jest.getTimerCount()).toBe(0);
    expect([paper, job].flatMap((emitter) => emitter.eventNames())).toEqual([]);
  });

  it("treats a terminal of unknown size as 80 by 24", () => {
    const draw = jest.fn(() => []);
    new Screen(new Paper(true, 0, 0), new Shell(), draw).close();
    expect(draw.mock.calls).toEqual([[80, 24]]);
  });
});

it("lines that nobody reads do not pile up, and one line says how many they were", () => {
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
