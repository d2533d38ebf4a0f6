import { describe, expect, it } from "@jest/globals";
import { fromHex, hex } from "../support/bytes.js";
import { cutAt, piecesOf } from "../support/pieces.js";
import { bytesField, framed } from "../support/protobuf-fields.js";
import { LIMITS, VirtualDevice } from "../support/virtual-device.js";
import { BUTTON, commandOf } from "../testing/wire.js";

// Streams of any frames and any bytes, however they are cut, are those of spec/endurance/random-inputs.spec.ts.

/** What a connected device makes of the chunks. */
function effectsOf(chunks: readonly Uint8Array[], maxMessageBytes = 0xffff_ffff): string[] {
  const device = VirtualDevice.idle({ ...LIMITS, maxMessageBytes });
  for (const chunk of chunks) device.receiveBytes(chunk);
  return device.takeAll();
}

/** A command to the button of 1, 3 and 300 bytes. */
const long = Array.from({ length: 300 }, (_, i) => hex(Uint8Array.of(i))).join("");
const payloads = ["aa", "b1b2b3", long];
const stream = fromHex(
  payloads.map((payload) => framed(bytesField(2, `0a12${BUTTON}${bytesField(2, payload)}`))).join(""),
);
const commands = payloads.map((payload) => `command ${payload}`);

describe("a stream of frames", () => {
  it("is read the same wherever it is cut in two", () => {
    const offsets = Array.from(stream.keys());
    const unlike = offsets.filter((at) => effectsOf(cutAt(stream, [at])).join() !== commands.join());
    expect(offsets.length).toBeGreaterThan(380);
    expect(unlike).toEqual([]);
  });

  it("is read the same wherever two short frames are cut in three", () => {
    const short = fromHex(commandOf(0xaa) + commandOf(0xbb));
    const unlike = [];
    for (let first = 0; first <= short.length; first++) {
      for (let second = first; second <= short.length; second++) {
        const found = effectsOf(cutAt(short, [first, second]));
        if (found.join() !== "command aa,command bb") unlike.push([first, second, found]);
      }
    }
    expect(unlike).toEqual([]);
  });

  it("ends where the bytes of a partly filled chunk end", () => {
    const device = VirtualDevice.idle();
    const bytes = fromHex(commandOf(0xaa) + commandOf(0xbb));
    device.connection.received(bytes, bytes.length / 2);
    expect(device.connection.next(0)?.kind).toBe("command");
    expect(device.connection.next(0)).toBeUndefined();
  });

  it.each([
    ["17000000", 23],
    ["00000001", 16_777_216],
    ["00000080", 2_147_483_648],
    ["ffffffff", 4_294_967_295],
  ])("ends with a length above the limit as soon as its header %s has come", (header, length) => {
    for (const size of [1, 4]) {
      const device = VirtualDevice.idle({ ...LIMITS, maxMessageBytes: 0x16 });
      for (const piece of piecesOf(fromHex(header), size)) device.receiveBytes(piece);
      const dropped = device.effects.at(-1)?.effect;
      expect(dropped).toMatchObject({
        kind: "dropped",
        failure: { message: expect.stringContaining(`announced a message of ${length} bytes, above the limit of 22`) },
      });
    }
  });

  it("does not end with a message of exactly the limit", () => {
    expect(effectsOf(piecesOf(fromHex(commandOf(0xaa)), 1), 0x19)).toEqual(["command aa"]);
  });
});
