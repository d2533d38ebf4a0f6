import { afterEach, describe, expect, it } from "@jest/globals";
import { cut, explain, jsonOf, oneLine, seconds, severalLines, spacedJson } from "../../lib/cli/text.js";
import { connect, exchange } from "../../lib/index.js";
import { utf8 } from "../support/bytes.js";
import { configFor, endAll, openClient, openGateway } from "../support/opened.js";

afterEach(endAll);

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
  const gateway = await openGateway();
  const client = await openClient(gateway);
  gateway.misbehave("status", { do: "send", bytes: Uint8Array.of(0, 0, 0, 0) });
  const offProtocol = await exchange(client, utf8("a"));
  const tooLarge = await exchange(client, new Uint8Array(16 * 1024 * 1024));
  gateway.misbehave("status", { do: "stay silent" }, { times: 2 });
  const timedOut = await exchange(client, utf8("a"), { timeoutMs: 20 });
  const other = await openClient(gateway, { device: { ...configFor(gateway).device, deviceRole: "other" } });
  gateway.misbehave("status", { do: "close" }, { times: 2 });
  const closed = await exchange(other, utf8("a"));
  gateway.misbehave("connect", { do: "refuse", responseType: 1 }, { times: 1_000 });
  const refused = await connect(configFor(gateway));
  await gateway.stop();
  const unreachable = await connect(configFor(gateway));

  const outcomes = [offProtocol, tooLarge, timedOut, closed, refused, unreachable];
  const said = outcomes.map((outcome) => explain(outcome._unsafeUnwrapErr()));
  const phrases = /client (is|was|lives)|connect again|nothing is left open|maxMessageBytes|highWaterMark|timeoutMs/i;
  expect(said.filter((words) => phrases.test(words))).toEqual([]);
  expect(said.map((words) => words.split(":")[0])).toEqual([
    "COMMAND_INCORRECT",
    "NOT_OK",
    "TIMEOUT_OCCURRED",
    "UNABLE_TO_CONNECT",
    "DEVICE_ALREADY_CONNECTED",
    "UNABLE_TO_CONNECT",
  ]);
});
