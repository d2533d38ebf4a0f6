import { describe, expect, it } from "@jest/globals";
import { cut, explain, jsonOf, oneLine, seconds, severalLines, spacedJson } from "../../lib/cli/text.js";
import { everyMessage } from "../errors/messages.js";

const UNSEEN: [what: string, text: string, written: string][] = [
  ["an escape sequence", "\x1b[2J", "\\u{1b}[2J"],
  ["a C1 control character", "\u009b2J", "\\u{9b}2J"],
  ["the end of a line", "a\r\nb\tc", "a\\r\\nb\\tc"],
  ["a delete character", "\x7f", "\\u{7f}"],
  ["an override of the direction", "\u202eabc\u2066", "\\u{202e}abc\\u{2066}"],
  ["a blank without a width", "a\u200bb\ufeff", "a\\u{200b}b\\u{feff}"],
  ["a letter that is a blank", "\u3164", "\\u{3164}"],
  ["a line separator", "a\u2028b\u2029", "a\\u{2028}b\\u{2029}"],
  ["a tag character", "\u{e0041}", "\\u{e0041}"],
  ["half of a character", "\ud800", "\\u{d800}"],
];

describe("text that others wrote never controls the terminal or hides anything:", () => {
  it.each(UNSEEN)("%s is written out, and escaped in JSON, which still says the same", (_what, text, written) => {
    expect(oneLine(text)).toBe(written);
    const json = jsonOf({ text });
    expect(json).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(json)).toEqual({ text });
  });

  it("letters, accents and emoji stay unchanged", () => {
    expect(oneLine("näme é 🚲 漢字 العربية")).toBe("näme é 🚲 漢字 العربية");
    expect(jsonOf("ä🚲")).toBe('"ä🚲"');
  });

  it("line breaks and tabs stay where several lines are allowed", () => {
    expect(severalLines("a\n\tb\u202e\x1b")).toBe("a\n\tb\\u{202e}\\u{1b}");
  });
});

it("JSON is readable in one line, and text in it is left alone", () => {
  expect(spacedJson([{ a: "x\n  y" }, {}, [1, 2]])).toBe('[ { "a": "x\\n  y" }, {}, [ 1, 2 ] ]');
});

it.each([
  ["abcdef", 6, "abcdef"],
  ["abcdef", 5, "abcd…"],
  ["abcdef", 1, "…"],
  ["漢字漢字", 8, "漢字漢字"],
  ["漢字漢字", 7, "漢字漢…"],
  ["漢字漢字", 6, "漢字…"],
  ["🚲🚲🚲", 5, "🚲🚲…"],
  ["e\u0301e\u0301", 2, "e\u0301e\u0301"],
  ["", 1, ""],
])("a line that is too long for the terminal is cut with an ellipsis: %s in %i columns", (text, columns, shown) => {
  expect(cut(text, columns)).toBe(shown);
});

it.each([
  [59_400, "59 s"],
  [60_000, "1 min 0 s"],
  [3_599_000, "59 min 59 s"],
  [7_260_000, "2 h 1 min"],
  [-5, "0 s"],
])("%i ms are %s", (passed, words) => {
  expect(seconds(passed)).toBe(words);
});

it("what went wrong is said for users of the command, not of the library, whatever it is", async () => {
  const codeOf = (message: string) => message.split(":")[0];
  const [connecting, sending, destroying, ...others] = await everyMessage();
  const ofUse = others.flatMap(([, messages]) => messages).filter((message) => /status is too large/.test(message));
  const messages = [connecting!, sending!, destroying!].flatMap(([, ofFailures]) => ofFailures).concat(ofUse);
  const said = messages.map((message) => explain({ code: codeOf(message), message } as never));
  const phrases =
    /client (is|was|lives|can)|connect again|nothing is left open|maxMessageBytes|highWaterMark|timeoutMs/i;
  expect(messages.filter((message) => phrases.test(message)).length).toBeGreaterThan(40);
  expect(said.filter((words) => phrases.test(words))).toEqual([]);
  expect(said.map(codeOf)).toEqual(messages.map(codeOf));
});
