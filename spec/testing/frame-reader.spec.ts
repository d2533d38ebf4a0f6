import { performance } from "node:perf_hooks";
import { describe, expect, it } from "@jest/globals";
import { createFrameReader } from "../../lib/testing/frame-reader.js";

describe("the gateway's reading of frames", () => {
  it("gives every body that a chunk completes, in order", () => {
    const frames = createFrameReader();
    const bodies: string[] = [];
    const onBody = (body: Buffer): number => bodies.push(body.toString("hex"));
    expect(frames.read(Buffer.from("0100000001" + "00000000" + "0300000002", "hex"), onBody)).toBe(true);
    expect(bodies).toEqual(["01", ""]);
    expect(frames.read(Buffer.from("0304" + "0100000005", "hex"), onBody)).toBe(true);
    expect(bodies).toEqual(["01", "", "020304", "05"]);
  });

  it("stays broken", () => {
    const frames = createFrameReader();
    const onBody = (): never => {
      throw new Error("There is no body");
    };
    expect(frames.read(Buffer.from("010000", "hex"), onBody)).toBe(false);
    expect(frames.read(Buffer.from("0100000001", "hex"), onBody)).toBe(false);
  });

  it("takes as long for many small chunks as for a few large ones", () => {
    const body = Buffer.alloc(1024 * 1024, 7);
    const frames = createFrameReader();
    let length = 0;
    frames.read(Buffer.from("00001000", "hex"), () => undefined);
    const start = performance.now();
    for (let at = 0; at < body.length; at += 1)
      frames.read(body.subarray(at, at + 1), (whole) => (length = whole.length));
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(length).toBe(1024 * 1024);
  });

  it("takes no memory for what was only announced", () => {
    const frames = createFrameReader();
    const before = process.memoryUsage().rss;
    expect(frames.read(Buffer.from("ffffffff00", "hex"), () => undefined)).toBe(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });
});
