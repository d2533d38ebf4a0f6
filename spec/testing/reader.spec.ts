import { describe, expect, it, jest } from "@jest/globals";
import { createFrameReader } from "../../lib/testing/wire.js";
import { fromHex } from "./wire.js";

/** A reader that has read the header of a body of that length. */
function readerOf(header: string) {
  const frames = createFrameReader();
  expect([...frames.read(fromHex(header))]).toEqual([]);
  return frames;
}

describe("the gateway's reading of frames", () => {
  it("fails for ever after a header that does not arrive whole", () => {
    const frames = readerOf("010000");
    expect([...frames.read(fromHex("0100000001"))]).toEqual([]);
    expect(frames.isBroken()).toBe(true);
  });

  it("joins many small chunks without copying what came before them", () => {
    const frames = readerOf("00001000");
    const concat = jest.spyOn(Buffer, "concat");
    const body = Buffer.alloc(1024 * 1024, 7);
    const bodies: Uint8Array[] = [];
    for (let at = 0; at < body.length; at += 1) bodies.push(...frames.read(body.subarray(at, at + 1)));
    const joined = concat.mock.calls.length;
    concat.mockRestore();
    expect(bodies.map((whole) => body.equals(whole))).toEqual([true]);
    expect(joined).toBe(1);
  });

  it("allocates no memory for what was only announced", () => {
    const before = process.memoryUsage().rss;
    readerOf("ffffffff00");
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });

  it("stores at most 64 MiB of a message", () => {
    const frames = readerOf("ffffffff");
    const mebibyte = Buffer.alloc(1024 * 1024);
    for (let count = 0; count < 64; count += 1) expect([...frames.read(mebibyte)]).toEqual([]);
    expect(frames.isBroken()).toBe(false);
    expect([...frames.read(Buffer.alloc(1))]).toEqual([]);
    expect(frames.isBroken()).toBe(true);
  });
});
