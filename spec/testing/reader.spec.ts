import { describe, expect, it } from "@jest/globals";
import { createFrameReader } from "../../lib/testing/wire.js";

function bodiesIn(frames: ReturnType<typeof createFrameReader>, hex: string): string[] {
  return [...frames.read(Buffer.from(hex, "hex"))].map((body) => Buffer.from(body).toString("hex"));
}

describe("the gateway's reading of frames", () => {
  it("finds every body that a chunk completes, in order", () => {
    const frames = createFrameReader();
    expect(bodiesIn(frames, "0100000001" + "00000000" + "0300000002")).toEqual(["01", ""]);
    expect(bodiesIn(frames, "0304" + "0100000005")).toEqual(["020304", "05"]);
    expect(frames.isBroken()).toBe(false);
  });

  it("fails for ever after a header that does not arrive whole", () => {
    const frames = createFrameReader();
    expect(bodiesIn(frames, "010000")).toEqual([]);
    expect(bodiesIn(frames, "0100000001")).toEqual([]);
    expect(frames.isBroken()).toBe(true);
  });

  it("joins many small chunks without copying what came before them", () => {
    const frames = createFrameReader();
    bodiesIn(frames, "00001000");
    const concat = Buffer.concat.bind(Buffer);
    let joined = 0;
    Buffer.concat = (pieces, length) => {
      joined += 1;
      return concat(pieces, length);
    };
    const body = Buffer.alloc(1024 * 1024, 7);
    const bodies: Uint8Array[] = [];
    for (let at = 0; at < body.length; at += 1) bodies.push(...frames.read(body.subarray(at, at + 1)));
    Buffer.concat = concat;
    expect(bodies.map((whole) => body.equals(whole))).toEqual([true]);
    expect(joined).toBe(1);
  });

  it("allocates no memory for what was only announced", () => {
    const frames = createFrameReader();
    const before = process.memoryUsage().rss;
    expect(bodiesIn(frames, "ffffffff00")).toEqual([]);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });

  it("stores at most 64 MiB of a message", () => {
    const frames = createFrameReader();
    bodiesIn(frames, "ffffffff");
    const mebibyte = Buffer.alloc(1024 * 1024);
    for (let count = 0; count < 64; count += 1) expect([...frames.read(mebibyte)]).toEqual([]);
    expect(frames.isBroken()).toBe(false);
    expect([...frames.read(Buffer.alloc(1))]).toEqual([]);
    expect(frames.isBroken()).toBe(true);
  });
});
