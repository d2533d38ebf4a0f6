import { describe, expect, it } from "@jest/globals";
import { fromHex, hex, utf8 } from "../support/bytes.js";
import { payloadsWith } from "./surroundings.js";

function deviceOf(module: number) {
  return { module, deviceType: 0, deviceRole: "left", deviceName: "b", priority: 0 };
}

function commandOf(module: number) {
  return { kind: "command", device: deviceOf(module) } as const;
}

const other = commandOf(1234);

describe("a payload in a line", () => {
  it.each<[what: string, module: number, bytes: Uint8Array, shown: string]>([
    ["text stands in quotes", 1234, utf8('a "b"\n'), '"a \\"b\\"\\n"'],
    ["text that looks like hex stands in quotes too", 1234, utf8("hex 00"), '"hex 00"'],
    ["what is no text is called hex", 1234, fromHex("c328"), "hex c328"],
    ["control characters make it no text", 1234, fromHex("1b5b324a"), "hex 1b5b324a"],
    ["C1 control characters too", 1234, fromHex("c29b324a"), "hex c29b324a"],
    ["what cannot be seen is escaped", 1234, utf8("a\u202eb"), '"a\\u202eb"'],
    ["JSON is spaced", 1234, utf8('{"lit_up":true,"a":[1]}'), '{ "lit_up": true, "a": [ 1 ] }'],
    ["JSON that is just a text stays what it is", 1234, utf8('"a"'), '"\\"a\\""'],
    ["no bytes are called empty", 1234, fromHex(""), "(empty)"],
    ["the example's command is what it means", 1000, utf8('{"lit_up": true}'), '{ "lit_up": true }'],
    ["the I/O module's empty command is empty", 2, fromHex(""), "(empty)"],
    ["the I/O module's null is what it means", 2, utf8("null"), "null"],
    ["the transparent module's command is text", 3, utf8('"default_command"'), '"\\"default_command\\""'],
    [
      "what a module cannot read says so",
      1000,
      utf8('{"lit":1}'),
      '{ "lit": 1 } (no command of example: Invalid key: Expected "lit_up" but received undefined)',
    ],
  ])("%s", (_what, module, bytes, shown) => {
    expect(payloadsWith().inLine(bytes, commandOf(module))).toBe(shown);
  });

  it("is hex with --hex, and only the bytes of a view into a larger buffer", () => {
    expect(payloadsWith("--hex").inLine(fromHex("ffff0102ffff").subarray(2, 4), other)).toBe("hex 0102");
  });

  it("is read as the module that --decode names, or as none", () => {
    const lit = utf8('{"lit_up":true}');
    expect(payloadsWith("--decode", "transparent").fields(lit, other)).not.toHaveProperty("problem");
    expect(payloadsWith("--decode", "example").fields(utf8("x"), other)).toHaveProperty("problem");
    expect(payloadsWith("--decode", "none").fields(utf8("x"), commandOf(1000))).not.toHaveProperty("problem");
    expect(payloadsWith("--decode", "mission-protobuf").inLine(fromHex("0801"), commandOf(1))).toMatch(/^\{ .* \}$/);
  });

  it("is cut after 2,000 characters, with its length", () => {
    const shown = payloadsWith().inLine(utf8("a".repeat(2_001)), other);
    expect(shown).toBe(`"${"a".repeat(1_999)}… (2001 bytes)`);
  });
});

describe("a payload alone", () => {
  it.each<[what: string, bytes: Uint8Array, shown: string, options?: string[], isPretty?: boolean]>([
    ["is text as it is, of one line or more", utf8('{\n\t"näme": "🚲"\n}'), '{\n\t"näme": "🚲"\n}'],
    ["is JSON over several lines at a terminal", utf8('{"a":"\u202e"}'), '{\n  "a": "\\u202e"\n}', [], true],
    ["is only hex digits if those are asked for", utf8("ab"), "6162", ["--hex"]],
    ["never controls the terminal", utf8("a\u202eb\u200b"), "a\\u{202e}b\\u{200b}"],
    ["is marked as hex if it is not text", fromHex("c328"), "hex c328"],
    ["is marked as hex if it is not text: an escape sequence", fromHex("1b5b324a"), "hex 1b5b324a"],
    ["is marked as hex if it is not text: a C1 control character", fromHex("c29b324a"), "hex c29b324a"],
    ["is marked as hex if it is not text: a carriage return", fromHex("610d62"), "hex 610d62"],
    ["is marked as hex if it is not text: a zero", fromHex("00"), "hex 00"],
  ])("%s", (_what, bytes, shown, options = [], isPretty = false) => {
    expect(payloadsWith(...options).alone(bytes, other, isPretty)).toBe(shown);
  });

  it("of a module that is not text is JSON", () => {
    const command = payloadsWith("--decode", "mission-protobuf").alone(fromHex("0801"), commandOf(1), false);
    expect(JSON.parse(command)).toBeInstanceOf(Object);
  });
});

it("a payload is in JSON its length, hex, text, and what it means", () => {
  const fields = (bytes: Uint8Array, module: number) => payloadsWith().fields(bytes, commandOf(module));
  expect(fields(utf8("a\n"), 1234)).toEqual({ bytes: 2, hex: "610a", text: "a\n" });
  expect(fields(fromHex("ff"), 1234)).toEqual({ bytes: 1, hex: "ff" });
  expect(fields(utf8("[]"), 1234)).toEqual({ bytes: 2, hex: "5b5d", text: "[]", value: [] });
  expect(fields(utf8("x"), 1000)).toMatchObject({
    text: "x",
    problem: expect.stringMatching(/^no command of example: /),
  });
});

describe("a status to send", () => {
  const toSend = (text: string, module: number, ...args: string[]) =>
    Buffer.from(payloadsWith(...args).toSend(utf8(text), deviceOf(module))).toString();

  it("gets the space that the example module requires", () => {
    expect(toSend('{"pressed":true}', 1000)).toBe('{"pressed": true}');
  });

  it("is unchanged if the module can read it", () => {
    const status = '{ "state": "IDLE",\n "telemetry": { "speed": 0.0 }, "nextStop": null, "more": 1 }';
    expect(toSend(status, 1)).toBe(status);
  });

  it("is never one that the module considers invalid, unless asked for", () => {
    expect(() => toSend('{"pressed":1}', 1000)).toThrow(
      /^the module example considers this status invalid: \$\.pressed: .*; --decode none sends it anyway$/,
    );
    expect(toSend('{"pressed":1}', 1000, "--decode", "none")).toBe('{"pressed":1}');
  });

  it("may be any bytes for an unknown module", () => {
    const bytes = fromHex("00ff");
    expect(hex(payloadsWith().toSend(bytes, deviceOf(1234)))).toBe("00ff");
  });
});
