import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { statusFrame } from "../../lib/protocol/client-messages.js";
import { StatusFrames } from "../../lib/protocol/status-frames.js";
import { fromHex, hex } from "../support/bytes.js";
import { propertyRuns } from "../support/property-runs.js";
import { BUTTON, PRESSED, STATUS } from "../testing/wire.js";

const buttonBytes = fromHex(BUTTON);

describe("the frames of one device's statuses", () => {
  it("carry the device and the status", () => {
    const frames = new StatusFrames(buttonBytes);
    expect(hex(frames.make(fromHex(PRESSED)))).toBe(STATUS);
    expect(hex(frames.make(new Uint8Array(0)))).toBe(`1600000012140a12${BUTTON}`);
  });

  it("have bodies of the length that is foretold", () => {
    expect(new StatusFrames(buttonBytes).bodyLength(fromHex(PRESSED))).toBe(0x29);
  });

  it("use the memory of one that was taken back, for a status of the same length", () => {
    const frames = new StatusFrames(buttonBytes);
    const first = frames.make(fromHex("010203"));
    frames.takeBack(first);
    const second = frames.make(fromHex("040506"));
    expect(second).toBe(first);
    expect(hex(second)).toBe(`1b00000012190a12${BUTTON}1203040506`);
  });

  it("use it once", () => {
    const frames = new StatusFrames(buttonBytes);
    frames.takeBack(frames.make(fromHex("01")));
    const second = frames.make(fromHex("02"));
    const third = frames.make(fromHex("03"));
    expect(third).not.toBe(second);
    expect(hex(second)).toBe(`1900000012170a12${BUTTON}120102`);
    expect(hex(third)).toBe(`1900000012170a12${BUTTON}120103`);
  });

  it("leave alone one that was not taken back", () => {
    const frames = new StatusFrames(buttonBytes);
    const first = frames.make(fromHex("01"));
    frames.make(fromHex("02"));
    expect(hex(first)).toBe(`1900000012170a12${BUTTON}120101`);
  });

  it("do not keep the memory of one that is larger than 1 MiB and a little", () => {
    const frames = new StatusFrames(buttonBytes);
    const keeps = [1024 * 1024, 1024 * 1024 + 2_000].map((length) => {
      const frame = frames.make(new Uint8Array(length));
      frames.takeBack(frame);
      return frames.make(new Uint8Array(length)) === frame;
    });
    expect(keeps).toEqual([true, false]);
  });

  it("are those that a frame made anew would be, whatever was sent and taken back before", () => {
    const move = fc.record({ status: fc.uint8Array({ maxLength: 4 }), takesBack: fc.option(fc.nat({ max: 3 })) });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 30 }), (moves) => {
        const frames = new StatusFrames(buttonBytes);
        const inUse: { frame: Uint8Array; expected: string }[] = [];
        for (const { status, takesBack } of moves) {
          inUse.push({ frame: frames.make(status), expected: hex(statusFrame(buttonBytes, status)) });
          for (const { frame, expected } of inUse) expect(hex(frame)).toBe(expected);
          const [back] = takesBack === null ? [] : inUse.splice(takesBack, 1);
          if (back !== undefined) frames.takeBack(back.frame);
        }
      }),
      propertyRuns,
    );
  });
});
