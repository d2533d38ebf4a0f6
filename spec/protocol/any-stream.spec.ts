import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { fromHex, hex } from "../support/bytes.js";
import { cutAt, piecesOf } from "../support/pieces.js";
import { propertyRuns } from "../support/property-runs.js";
import { bytesField } from "../support/protobuf-fields.js";
import { described, receive } from "../support/received.js";
import { BUTTON, button } from "../testing/wire.js";

const OTHER = "08e9071a0474657374";

/** Frames and what they mean, by hand. */
const frame = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((payload) => ({
    body: bytesField(2, `0a12${BUTTON}${payload.length > 0 ? bytesField(2, hex(payload)) : ""}`),
    means: `own command ${hex(payload)}`,
  })),
  fc.uint8Array({ minLength: 1, maxLength: 200 }).map((payload) => ({
    body: bytesField(2, `0a09${OTHER}${bytesField(2, hex(payload))}`),
    means: `other command ${hex(payload)}`,
  })),
  fc.integer({ min: 1, max: 100 }).map((responseType) => ({
    body: `0a1608${hex(Uint8Array.of(responseType))}1212${BUTTON}`,
    means: `own connect response ${responseType}`,
  })),
  fc.constant({ body: "ffff", means: "undecodable" }),
);

function framed(body: string): string {
  const header = Buffer.alloc(4);
  header.writeUInt32LE(body.length / 2);
  return header.toString("hex") + body;
}

describe("a stream of frames", () => {
  it("means the same however the network cuts it", () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
        const stream = fromHex(frames.map(({ body }) => framed(body)).join(""));
        const meaning = frames.map(({ means }) => means);
        const offsets = cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b);
        expect(receive(button, [stream]).map(described)).toEqual(meaning);
        expect(receive(button, cutAt(stream, offsets)).map(described)).toEqual(meaning);
        expect(receive(button, piecesOf(stream, 1)).map(described)).toEqual(meaning);
      }),
      propertyRuns,
    );
  });

  it("means the same up to where it breaks off, and then the break, however it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 4 }),
        fc.constantFrom("00000000", "e9030000", "ffffffff"),
        fc.integer({ min: 1, max: 50 }),
        (frames, header, size) => {
          const stream = fromHex(frames.map(({ body }) => framed(body)).join("") + header + "01000000aa");
          const meaning = [...frames.map(({ means }) => means), "broken"];
          expect(receive(button, piecesOf(stream, size), 1_000).map(described)).toEqual(meaning);
        },
      ),
      propertyRuns,
    );
  });
});

describe("any bytes at all", () => {
  const mostlySmallNumbers = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 2, 8, 10, 18, 26, 255));
  const noise = fc.array(mostlySmallNumbers, { maxLength: 120 }).map((bytes) => Uint8Array.from(bytes));
  /** Noise that does not end at its first header. */
  const framedNoise = fc
    .array(noise, { maxLength: 6 })
    .map((bodies) => fromHex(bodies.map((body) => framed(hex(body))).join("")));

  it("are messages, an error or the wait for more, and never a throw", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.oneof(noise, framedNoise), fc.integer({ min: 1, max: 30 }), (bytes, size) => {
        const whole = receive(button, [bytes], 10_000);
        expect(receive(button, piecesOf(bytes, size), 10_000)).toEqual(whole);
        for (const received of whole) {
          seen.add(received.kind);
          if ("detail" in received) expect(received.detail).toMatch(/.{10,}/);
        }
      }),
      { ...propertyRuns, numRuns: 5 * propertyRuns.numRuns },
    );
    expect([...seen]).toEqual(expect.arrayContaining(["undecodable", "broken"]));
  });
});
