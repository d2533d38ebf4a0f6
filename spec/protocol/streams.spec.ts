import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { fromHex, hex } from "../support/bytes.js";
import { cutAt, piecesOf } from "../support/pieces.js";
import { propertyRuns } from "../support/property-runs.js";
import { bytesField, framed } from "../support/protobuf-fields.js";
import { LIMITS, VirtualDevice } from "../support/virtual-device.js";
import { BUTTON, commandOf } from "../testing/wire.js";

const OTHER = "08e9071a0474657374";

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

  /** Frames and what an idle device makes of them, by hand. */
  const frame = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((payload) => ({
      body: bytesField(2, `0a12${BUTTON}${payload.length > 0 ? bytesField(2, hex(payload)) : ""}`),
      means: `command ${hex(payload)}`,
    })),
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((payload) => ({
      body: bytesField(2, `0a09${OTHER}${bytesField(2, hex(payload))}`),
      means: "ignored",
    })),
  );

  it("means the same however the network cuts it", () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
        const bytes = fromHex(frames.map(({ body }) => framed(body)).join(""));
        const meaning = frames.map(({ means }) => means);
        const offsets = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
        expect(effectsOf([bytes])).toEqual(meaning);
        expect(effectsOf(cutAt(bytes, offsets))).toEqual(meaning);
        expect(effectsOf(piecesOf(bytes, 1))).toEqual(meaning);
      }),
      propertyRuns,
    );
  });

  it("means the same up to where it breaks off, and then the connection is dropped, however it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 4 }),
        fc.constantFrom("00000000", "e9030000", "ffffffff", "02000000ffff", "020000000a00"),
        fc.integer({ min: 1, max: 50 }),
        (frames, end, size) => {
          const bytes = fromHex(frames.map(({ body }) => framed(body)).join("") + end + commandOf(0xaa));
          const meaning = [...frames.map(({ means }) => means), "close", "dropped"];
          expect(untilDropped(piecesOf(bytes, size))).toEqual(meaning);
        },
      ),
      propertyRuns,
    );
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

/** As a transport would: nothing more of a connection that was closed. */
function untilDropped(chunks: readonly Uint8Array[]): string[] {
  const device = VirtualDevice.idle({ ...LIMITS, maxMessageBytes: 1_000 });
  for (const chunk of chunks) if (device.state === "idle") device.receiveBytes(chunk);
  return device.takeAll();
}
