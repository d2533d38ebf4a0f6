import { describe, expect, it } from "@jest/globals";
import { FrameDecoder, type Body } from "../../lib/protocol/frame-decoder.js";
import { fromHex, hex } from "../support/bytes.js";
import { cutAt, piecesOf } from "../support/pieces.js";

const unlimited = 0xffff_ffff;
const splitAt = (offset: number) => () => offset;

/** A body's bytes as hex, with a bar where it was split; or what broke the stream. */
function shown(body: Body | { readonly kind: "broken"; readonly detail: string }): string {
  if (body.kind === "broken") return `broken: ${body.detail}`;
  return `${hex(body.head.subarray(body.start, body.end))}${body.tail.length > 0 ? `|${hex(body.tail)}` : ""}`;
}

/** Everything that the decoder gives for a chunk, up to the first error. */
function decoded(decoder: FrameDecoder, chunk: Uint8Array): string[] {
  const found: string[] = [];
  decoder.push(chunk);
  for (let body = decoder.next(); body !== undefined; body = decoder.next()) {
    found.push(shown(body));
    if (body.kind === "broken") break;
  }
  return found;
}

function decodedAll(chunks: readonly Uint8Array[], headBytes = splitAt(unlimited)): string[] {
  const decoder = new FrameDecoder(unlimited, headBytes);
  return chunks.flatMap((chunk) => decoded(decoder, chunk));
}

/** Bodies of 1, 3 and 300 bytes. */
const long = Array.from({ length: 300 }, (_, i) => (i % 256).toString(16).padStart(2, "0")).join("");
const stream = fromHex(`01000000aa 03000000b1b2b3 2c010000${long}`.replaceAll(" ", ""));
const bodies = ["aa", "b1b2b3", long];

describe("frames out of chunks", () => {
  it("come one by one from a chunk that holds several", () => {
    expect(decodedAll([stream])).toEqual(bodies);
  });

  it("come the same from chunks of one byte", () => {
    expect(decodedAll(piecesOf(stream, 1))).toEqual(bodies);
  });

  it("come the same wherever the stream is cut in two", () => {
    const offsets = Array.from(stream.keys());
    const unlike = offsets.filter((at) => decodedAll(cutAt(stream, [at])).join() !== bodies.join());
    expect(offsets.length).toBe(316);
    expect(unlike).toEqual([]);
  });

  it("come the same wherever two short frames are cut in three", () => {
    const short = fromHex("01000000aa03000000b1b2b3");
    const unlike = [];
    for (let first = 0; first <= short.length; first++) {
      for (let second = first; second <= short.length; second++) {
        const found = decodedAll(cutAt(short, [first, second]));
        if (found.join() !== "aa,b1b2b3") unlike.push([first, second, found]);
      }
    }
    expect(unlike).toEqual([]);
  });

  it.each([1, 2, 3])("wait for a header of which %d bytes have come", (count) => {
    const decoder = new FrameDecoder(unlimited, splitAt(1));
    const frame = fromHex("03000000b1b2b3");
    expect(decoded(decoder, frame.subarray(0, count))).toEqual([]);
    expect(decoded(decoder, frame.subarray(count))).toEqual(["b1b2b3"]);
  });

  it("wait for a body of which nothing has come", () => {
    const decoder = new FrameDecoder(unlimited, splitAt(unlimited));
    expect(decoded(decoder, fromHex("03000000"))).toEqual([]);
    expect(decoded(decoder, fromHex("b1b2b3"))).toEqual(["b1b2b3"]);
  });

  it("wait while nothing comes", () => {
    const decoder = new FrameDecoder(unlimited, splitAt(unlimited));
    expect(decoder.next()).toBeUndefined();
    expect(decoded(decoder, new Uint8Array(0))).toEqual([]);
    expect(decoder.next()).toBeUndefined();
  });

  it("end where the bytes of a partly filled chunk end", () => {
    const decoder = new FrameDecoder(unlimited, splitAt(unlimited));
    decoder.push(fromHex("01000000aa01000000bb"), 5);
    expect(shown(decoder.next()!)).toBe("aa");
    expect(decoder.next()).toBeUndefined();
  });
});

describe("a body that stands whole in a chunk", () => {
  it("is shown where it stands, without a copy", () => {
    const chunk = fromHex("01000000aa03000000b1b2b3");
    const decoder = new FrameDecoder(unlimited, splitAt(1));
    decoder.push(chunk);
    const found = [decoder.next(), decoder.next()] as Body[];
    expect(found.map(({ start, end, tail }) => [start, end, tail.length])).toEqual([
      [4, 5, 0],
      [9, 12, 0],
    ]);
    expect(found.every(({ head }) => head === chunk)).toBe(true);
  });

  it("is shown so too when its header came earlier", () => {
    const decoder = new FrameDecoder(unlimited, splitAt(1));
    expect(decoded(decoder, fromHex("0300"))).toEqual([]);
    const chunk = fromHex("0000b1b2b3");
    decoder.push(chunk);
    const body = decoder.next() as Body;
    expect(body.head).toBe(chunk);
    expect(shown(body)).toBe("b1b2b3");
  });

  it("is left as it is, and the chunk around it too", () => {
    const chunk = fromHex("0000b1b2b301000000aa0500");
    const decoder = new FrameDecoder(unlimited, splitAt(1));
    decoded(decoder, fromHex("0300"));
    expect(decoded(decoder, chunk)).toEqual(["b1b2b3", "aa"]);
    decoded(decoder, fromHex("0000c1c2c3"));
    expect(hex(chunk)).toBe("0000b1b2b301000000aa0500");
  });
});

describe("a body that comes in pieces", () => {
  /** A decoder's body for a frame of `length` bytes, cut after its header and then in pieces. */
  function inPieces(frame: Uint8Array, size: number, headBytes: (bodyLength: number) => number): Body {
    const decoder = new FrameDecoder(unlimited, headBytes);
    const found: Body[] = [];
    const chunk = new Uint8Array(size);
    for (const piece of [frame.slice(0, 4), ...piecesOf(frame.slice(4), size)]) {
      // The transport reads each chunk into the same buffer.
      const buffer = piece.length > size ? piece : chunk;
      buffer.set(piece);
      decoder.push(buffer, piece.length);
      for (let body = decoder.next(); body !== undefined; body = decoder.next()) found.push(body as Body);
      chunk.fill(0xee);
    }
    expect(found.length).toBe(1);
    return found[0]!;
  }

  const frame = fromHex("06000000b1b2b3b4b5b6");

  it.each([
    [0, "|b1b2b3b4b5b6"],
    [1, "b1|b2b3b4b5b6"],
    [4, "b1b2b3b4|b5b6"],
    [5, "b1b2b3b4b5|b6"],
    [6, "b1b2b3b4b5b6"],
    [7, "b1b2b3b4b5b6"],
  ])("is split after %d bytes into %s, however it came", (headBytes, split) => {
    const found = [1, 2, 3, 4, 5].map((size) => shown(inPieces(frame, size, splitAt(headBytes))));
    expect(found).toEqual(Array(5).fill(split));
  });

  it("is split where its length says", () => {
    const asked: number[] = [];
    inPieces(frame, 2, (bodyLength) => {
      asked.push(bodyLength);
      return 3;
    });
    expect(asked).toEqual([6]);
  });

  it.each([1, 7, 1_023, 1_024, 1_025, 65_535, 65_536, 99_999])(
    "has a tail of its own memory with the payload's bytes and not one more, in pieces of %d",
    (size) => {
      const payload = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
      const whole = new Uint8Array(4 + 3 + payload.length);
      whole.set(fromHex("a3860100b1b2b3"));
      whole.set(payload, 7);
      const { tail } = inPieces(whole, size, splitAt(3));
      expect(Buffer.compare(tail, payload)).toBe(0);
      expect([tail.byteOffset, tail.buffer.byteLength]).toEqual([0, payload.length]);
    },
  );

  it("is not touched again by what comes behind it", () => {
    const decoder = new FrameDecoder(unlimited, splitAt(1));
    decoder.push(fromHex("03000000b1"));
    expect(decoder.next()).toBeUndefined();
    decoder.push(fromHex("b2b303000000c1"));
    const first = decoder.next() as Body;
    expect(decoder.next()).toBeUndefined();
    decoder.push(fromHex("c2c3"));
    expect(shown(decoder.next()!)).toBe("c1|c2c3");
    expect(shown(first)).toBe("b1|b2b3");
  });
});

describe("a stream that is none of frames", () => {
  const limit = 5;
  const zero = "broken: it announced a message of length 0";

  it("ends with a message of length 0", () => {
    expect(decoded(new FrameDecoder(limit, splitAt(1)), fromHex("00000000"))).toEqual([zero]);
  });

  it.each([
    ["06000000", 6],
    ["00000001", 16_777_216],
    ["00000080", 2_147_483_648],
    ["ffffffff", 4_294_967_295],
  ])("ends with a length above the limit as soon as its header %s has come", (header, length) => {
    const error = `broken: it announced a message of ${length} bytes, above the limit of 5`;
    expect(decoded(new FrameDecoder(limit, splitAt(1)), fromHex(header))).toEqual([error]);
    const bytewise = new FrameDecoder(limit, splitAt(1));
    expect(piecesOf(fromHex(header), 1).flatMap((piece) => decoded(bytewise, piece))).toEqual([error]);
  });

  it("does not end with a message of exactly the limit", () => {
    const frame = fromHex("05000000b1b2b3b4b5");
    expect(decoded(new FrameDecoder(limit, splitAt(5)), frame)).toEqual(["b1b2b3b4b5"]);
    const bytewise = new FrameDecoder(limit, splitAt(5));
    expect(piecesOf(frame, 1).flatMap((piece) => decoded(bytewise, piece))).toEqual(["b1b2b3b4b5"]);
  });

  it("gives the messages before its error", () => {
    const decoder = new FrameDecoder(limit, splitAt(1));
    expect(decoded(decoder, fromHex("01000000aa0000000001000000bb"))).toEqual(["aa", zero]);
  });

  it("gives that error and no other for good, whatever comes", () => {
    const decoder = new FrameDecoder(limit, splitAt(1));
    decoder.push(fromHex("0000000001000000aa"));
    const error = decoder.next();
    expect(shown(error!)).toBe(zero);
    expect(decoder.next()).toBe(error);
    for (const chunk of ["01000000aa", "06000000", "", "00"]) {
      decoder.push(fromHex(chunk));
      expect(decoder.next()).toBe(error);
    }
  });
});
