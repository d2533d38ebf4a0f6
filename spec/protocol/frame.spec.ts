import { describe, expect, it } from "@jest/globals";
import { readHeader, writeHeader } from "../../lib/protocol/frame.js";
import { fromHex, hex } from "../support/bytes.js";

describe("a frame's header", () => {
  const byHand: [number, string][] = [
    [0, "00000000"],
    [1, "01000000"],
    [0x04030201, "01020304"],
    [0x80000000, "00000080"],
    [0xffffffff, "ffffffff"],
  ];

  it.each(byHand)("says a length of %d as the little-endian %s", (length, bytes) => {
    const target = new Uint8Array(6).fill(0xee);
    writeHeader(target, length);
    expect(hex(target)).toBe(`${bytes}eeee`);
  });

  it.each(byHand)("is read as %d from %s, wherever it stands", (length, bytes) => {
    expect(readHeader(fromHex(`ee${bytes}ee`), 1)).toBe(length);
  });
});
