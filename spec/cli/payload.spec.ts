import { describe, expect, it } from "@jest/globals";
import { oneLine, payloadFields, printed, shown } from "../../lib/cli/payload.js";
import { fromHex, utf8 } from "../support/bytes.js";

describe("a payload on the command line", () => {
  it("is text where it is printable UTF-8, of one line or more", () => {
    expect(printed(utf8('{\n\t"näme": "🚲"\n}'), false)).toBe('{\n\t"näme": "🚲"\n}');
  });

  it.each([
    ["is not UTF-8", "c328", "c328"],
    ["holds an escape sequence", "1b5b324a", "1b5b324a"],
    ["holds a C1 control character", "c29b324a", "c29b324a"],
    ["holds a carriage return", "610d62", "610d62"],
    ["holds a zero byte", "00", "00"],
  ])("is hex where it %s", (_what, bytes, expected) => {
    expect(printed(fromHex(bytes), false)).toBe(expected);
  });

  it("is hex where that is asked for", () => {
    expect(printed(utf8("ab"), true)).toBe("6162");
  });

  it("is just the bytes of a view into a larger buffer", () => {
    expect(printed(fromHex("ffff0102ffff").subarray(2, 4), true)).toBe("0102");
  });

  it("stays in one line where lines are shown", () => {
    expect(shown(utf8("a\n\tb"), false)).toBe("a\\n\\tb");
  });

  it("is called empty where lines are shown and it has no bytes", () => {
    expect(shown(fromHex(""), false)).toBe("(empty)");
  });

  it("is cut after 2,000 characters where lines are shown, with its length", () => {
    expect(shown(utf8("a".repeat(2_001)), false)).toBe(`${"a".repeat(2_000)}… (2001 bytes)`);
    expect(shown(utf8("a".repeat(2_000)), false)).toBe("a".repeat(2_000));
  });

  it("is in JSON its length, its hex, and its text where it is UTF-8", () => {
    expect(payloadFields(utf8("a\n"))).toEqual({ bytes: 2, hex: "610a", text: "a\n" });
    expect(payloadFields(fromHex("ff"))).toEqual({ bytes: 1, hex: "ff" });
  });

  it("cannot drive the terminal: control characters are written out", () => {
    expect(oneLine("a\x1b[2J\r\n\t\x7f\u009b")).toBe("a\\x1b[2J\\r\\n\\t\\x7f\\x9b");
  });
});
