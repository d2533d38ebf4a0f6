import { types } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { DeviceConnection } from "../../lib/protocol/device-connection.js";
import { fromHex, hex } from "../support/bytes.js";
import { piecesOf } from "../support/pieces.js";
import { LIMITS, utf8 } from "../support/virtual-device.js";
import { BUTTON, button, CONNECTED } from "../testing/wire.js";

const MIB = 1024 * 1024;

interface Work {
  /** Bytes in all arrays that were made. */
  readonly allocated: number;
  /** Bytes that were copied from one array to another. */
  readonly copied: number;
  /** How many times bytes were copied. */
  readonly copies: number;
}

/** A larger array is refused: a spec should fail by its count and not by taking the memory. */
const MOST_AT_ONCE = 64 * 1024 * 1024;

/** Counts what `run` does with byte arrays, by a `Uint8Array` that keeps account in place of the realm's own. */
function workOf(run: () => void): Work {
  const work = { allocated: 0, copied: 0, copies: 0 };
  const count = (bytes: number): void => {
    work.copied += bytes;
    work.copies += 1;
  };
  const Original = globalThis.Uint8Array;

  class CountingUint8Array extends Original {
    constructor(first: number | ArrayBuffer | ArrayLike<number>, offset?: number, length?: number) {
      if (typeof first === "number" && first > MOST_AT_ONCE) throw new Error(`${first} bytes allocated at once`);
      super(first as ArrayBuffer, offset, length);
      if (types.isAnyArrayBuffer(first)) return; // a view of bytes that are there already
      work.allocated += this.length;
      if (typeof first !== "number") count(this.length);
    }

    override set(source: ArrayLike<number>, offset?: number): void {
      count(source.length);
      super.set(source, offset);
    }

    override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
      const copy = super.slice(start, end);
      count(copy.length);
      return copy;
    }
  }

  globalThis.Uint8Array = CountingUint8Array as unknown as typeof Original;
  try {
    run();
  } finally {
    globalThis.Uint8Array = Original;
  }
  return work;
}

/** A command of 1 MiB to the button: 0x100000 is 808040 as a varint, the message around it 988040. */
const largeCommand = Uint8Array.from({ length: MIB }, (_, at) => at % 251);
const largeFrame = new Uint8Array(Buffer.concat([fromHex(`1c001000129880400a12${BUTTON}12808040`), largeCommand]));

/** A connected device that takes messages of up to that size. */
function connectedDevice(maxMessageBytes: number): DeviceConnection<object> {
  const device = new DeviceConnection(button, { ...LIMITS, maxMessageBytes }, { utf8 });
  device.connect(0);
  device.opened(0);
  const connected = fromHex(CONNECTED);
  device.received(connected, connected.length);
  while (device.next(0) !== undefined);
  return device;
}

/** What it costs to read the bytes from chunks of that size, and the commands they hold. As the transport's, all chunks are one buffer. */
function decodingWork(bytes: Uint8Array, chunkBytes: number): { work: Work; commands: Uint8Array[] } {
  const commands: Uint8Array[] = [];
  const chunk = new Uint8Array(chunkBytes);
  const work = workOf(() => {
    const device = connectedDevice(16 * MIB);
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const piece = bytes.subarray(at, at + chunkBytes);
      chunk.set(piece);
      device.received(chunk, piece.length);
      for (let effect = device.next(0); effect !== undefined; effect = device.next(0)) {
        if (effect.kind === "command") commands.push(effect.command);
      }
    }
  });
  return { work, commands };
}

describe("the count of work", () => {
  it("counts what is allocated and what is copied, and nothing twice", () => {
    const source = Uint8Array.of(1, 2, 3, 4);
    expect(workOf(() => new Uint8Array(10))).toEqual({ allocated: 10, copied: 0, copies: 0 });
    expect(workOf(() => new Uint8Array(10).subarray(2, 8))).toEqual({ allocated: 10, copied: 0, copies: 0 });
    expect(workOf(() => new Uint8Array(10).slice(2, 8))).toEqual({ allocated: 16, copied: 6, copies: 1 });
    expect(workOf(() => new Uint8Array(10).set(source, 3))).toEqual({ allocated: 10, copied: 4, copies: 1 });
    expect(workOf(() => new Uint8Array(source))).toEqual({ allocated: 4, copied: 4, copies: 1 });
  });
});

describe("a command of 1 MiB", () => {
  it.each([1, 7, 1_023, 1_024, 1_025, 65_535, 65_536, 99_999, largeFrame.length])(
    "from chunks of %d bytes is copied once and little more, into memory of its own and not one byte more",
    (size) => {
      const { work, commands } = decodingWork(largeFrame, size);
      expect(commands.map(({ byteOffset, buffer }) => [byteOffset, buffer.byteLength])).toEqual([[0, MIB]]);
      expect(Buffer.compare(commands[0]!, largeCommand)).toBe(0);
      const most = size < largeFrame.length ? 1.1 * MIB : MIB + 1_000;
      expect(work.copied).toBeGreaterThanOrEqual(MIB);
      expect(work.copied).toBeLessThan(most);
      expect(work.allocated).toBeLessThan(most);
      expect(work.copies).toBeLessThan(Math.ceil(largeFrame.length / size) + 20);
    },
  );

  it("is copied three times, and not more, when it carries another device name", () => {
    const renamed = new Uint8Array(largeFrame);
    renamed[largeFrame.indexOf(0x31)] = 0x32; // the name button1 becomes button2
    const { work, commands } = decodingWork(renamed, 1);
    expect(commands.map(({ length }) => length)).toEqual([MIB]);
    expect(work.copied).toBeLessThan(3.2 * MIB);
  });
});

describe("many small commands in chunks of one byte", () => {
  it("cost in proportion to their bytes", () => {
    const frame = fromHex(`1900000012170a12${BUTTON}120107`);
    const frames = new Uint8Array(1_000 * frame.length);
    for (let i = 0; i < 1_000; i++) frames.set(frame, i * frame.length);
    const { work, commands } = decodingWork(frames, 1);
    expect(commands.length).toBe(1_000);
    expect(work.copied).toBeLessThan(1.5 * frames.length);
    expect(work.allocated).toBeLessThan(1.5 * frames.length);
    expect(work.copies).toBeLessThan(1.5 * frames.length);
  });
});

describe("what a header announces", () => {
  /** Bytes allocated by the time that so many bytes of a body of the announced length have come. */
  function allocatedFor(announced: number, arrived: number, chunkBytes: number, maxMessageBytes = 0xffff_ffff): number {
    const device = connectedDevice(maxMessageBytes);
    const header = new Uint8Array(4);
    new DataView(header.buffer).setUint32(0, announced, true);
    const chunks = [header, ...piecesOf(new Uint8Array(arrived), chunkBytes)];
    return workOf(() => {
      for (const chunk of chunks) {
        device.received(chunk, chunk.length);
        if (device.next(0)?.kind === "command") throw new Error("The body is not to be complete");
      }
    }).allocated;
  }

  /** Where a length takes a byte more as a varint, and around it: there some body lengths are no command's. */
  const lengths = [2 ** 14, 2 ** 21, 2 ** 28].flatMap((edge) => Array.from({ length: 64 }, (_, i) => edge - 16 + i));

  it.each([16 * MIB, 2 ** 32 - 1])("is not allocated: %d bytes", (announced) => {
    expect(allocatedFor(announced, 0, 1)).toBeLessThan(200);
  });

  it("is not allocated for lengths that no command to the device has, either", () => {
    const allocated = lengths.filter((announced) => allocatedFor(announced, 0, 1) >= 200);
    expect(allocated).toEqual([]);
  });

  it("is not allocated above the limit, however much of it comes", () => {
    expect(allocatedFor(2 ** 32 - 1, 65_536, 1_024, 16 * MIB)).toBeLessThan(200);
    expect(allocatedFor(16 * MIB + 1, 65_536, 1_024, 16 * MIB)).toBeLessThan(200);
  });

  it.each([1, 1_000, 65_536])("is allocated in proportion to what has come, in chunks of %d bytes", (chunkBytes) => {
    for (const announced of [2 ** 32 - 1, 2_097_156, 268_435_462]) {
      for (const arrived of [1, 1_000, 10_000, 70_000]) {
        // The last array holds at most 64 times what had come when it was made, those before it a 64th of the next.
        expect(allocatedFor(announced, arrived, chunkBytes)).toBeLessThanOrEqual(2_048 + 66 * arrived);
      }
    }
  });
});

describe("a command that comes in pieces", () => {
  it("is not changed by what comes after it", () => {
    const frames = fromHex(`1b00000012190a12${BUTTON}1203b1b2b3` + `1b00000012190a12${BUTTON}1203c1c2c3`);
    expect(decodingWork(frames, 30).commands.map(hex)).toEqual(["b1b2b3", "c1c2c3"]);
  });
});

describe("many small fields", () => {
  it.each([
    ["unknown ones", ""],
    ["in a group", "7b"],
  ])("cost no more than reading the first thousand of them: %s", (_what, first) => {
    const device = connectedDevice(16 * MIB);
    const body = Buffer.concat([fromHex(first), Buffer.alloc(8 * MIB, fromHex("7801"))]);
    const header = Buffer.alloc(4);
    header.writeUInt32LE(body.length);
    const chunk = Buffer.concat([header, body]);
    device.received(chunk, chunk.length);
    device.next(0);
    expect(device.next(0)).toMatchObject({
      kind: "dropped",
      failure: { message: expect.stringContaining("too many fields") },
    });
  });
});

describe("a message for which there is no memory", () => {
  it("drops the connection, and does not throw", () => {
    const device = connectedDevice(16 * MIB);
    const frame = fromHex("0000f000aa");
    const Original = globalThis.Uint8Array;
    globalThis.Uint8Array = function () {
      throw new RangeError("Array buffer allocation failed");
    } as unknown as typeof Original;
    try {
      device.received(frame, frame.length);
      expect(device.next(0)?.kind).toBe("close");
    } finally {
      globalThis.Uint8Array = Original;
    }
    expect(device.next(0)).toMatchObject({
      kind: "dropped",
      failure: { message: "the gateway's stream cannot be read: Array buffer allocation failed" },
    });
  });
});
