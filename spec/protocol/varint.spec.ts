import { describe, expect, it } from "@jest/globals";
import { varintLength, writeVarint } from "../../lib/protocol/varint.js";
import { hex } from "../support/bytes.js";

describe("a varint", () => {
  const byHand: [number, string][] = [
    [0, "00"],
    [1, "01"],
    [127, "7f"],
    [128, "8001"],
    [300, "ac02"],
    [2 ** 14 - 1, "ff7f"],
    [2 ** 14, "808001"],
    [2 ** 21 - 1, "ffff7f"],
    [2 ** 21, "80808001"],
    [2 ** 28 - 1, "ffffff7f"],
    [2 ** 28, "8080808001"],
    [2 ** 31, "8080808008"],
    [2 ** 32 - 1, "ffffffff0f"],
  ];

  it.each(byHand)("of %d is written as %s, behind what stands before it", (value, bytes) => {
    const target = new Uint8Array(8).fill(0xee);
    const end = writeVarint(target, 2, value);
    expect(hex(target.subarray(0, end))).toBe(`eeee${bytes}`);
    expect(hex(target.subarray(end))).toBe("ee".repeat(8 - end));
  });

  it.each(byHand)("of %d has the length of %s", (value, bytes) => {
    expect(varintLength(value)).toBe(bytes.length / 2);
  });
});
