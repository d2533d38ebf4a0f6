import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { StatusQueue, type QueueLimits } from "../../lib/protocol/status-queue.js";
import { statusFrame } from "../../lib/protocol/writer.js";
import { fromHex, hex } from "../support/bytes.js";
import { propertyRuns } from "../support/property-runs.js";
import { LIMITS, VirtualDevice } from "../support/virtual-device.js";
import { BUTTON, commandOf, STATUS, PRESSED } from "../testing/wire.js";

const buttonBytes = fromHex(BUTTON);
const MIB = 1024 * 1024;

function queueOf(limits: Partial<QueueLimits> = {}): StatusQueue<string> {
  return new StatusQueue(buttonBytes, { ...LIMITS, ...limits });
}

/** The frame that a status gets when its turn comes. */
function frameOf(queue: StatusQueue<string>, status: Uint8Array): Uint8Array {
  queue.push(status, 80, "a");
  return queue.shift()!.frame;
}

describe("a status that waits", () => {
  it("keeps its bytes when the caller overwrites them", () => {
    const queue = queueOf();
    const status = fromHex(PRESSED);
    queue.push(status, 80, "a");
    status.fill(0);
    expect(hex(queue.shift()!.frame)).toBe(STATUS);
  });

  it("is refused above maxMessageBytes, device included", () => {
    const queue = queueOf({ maxMessageBytes: 0x19 });
    expect(queue.push(fromHex("01"), 80, "a")).toBeUndefined();
    expect(queue.push(fromHex("0102"), 80, "b")).toEqual({ reason: "too-large", bytes: 0x1a });
  });

  it.each([
    ["as many wait as may", { maxWaiting: 2 }],
    ["their bytes are as many as may wait", { maxWaitingBytes: 2 * 0x19 }],
  ])("is refused when %s, and taken again when one has left, however often", (_, limits) => {
    const queue = queueOf(limits);
    for (let turn = 0; turn < 3; turn++) {
      expect(queue.push(fromHex("01"), 80, "a")).toBeUndefined();
      expect(queue.push(fromHex("02"), 80, "b")).toBeUndefined();
      expect(queue.push(fromHex("03"), 80, "c")).toEqual({ reason: "queue-full", statuses: 2, bytes: 2 * 0x19 });
      queue.shift();
      queue.remove("b");
    }
  });

  it("is taken whatever its size if none waits before it", () => {
    expect(queueOf({ maxWaitingBytes: MIB }).push(new Uint8Array(2 * MIB), 80, "a")).toBeUndefined();
  });

  it.each(["shift", "remove", "clear"] as const)("frees its bytes by %s", (way) => {
    const queue = queueOf({ maxWaitingBytes: 2 * MIB });
    queue.push(new Uint8Array(MIB), 80, "a");
    queue.push(fromHex("01"), 80, "b");
    if (way === "remove") queue.remove("a");
    else queue[way]();
    expect(queue.push(new Uint8Array(MIB), 80, "c")).toBeUndefined();
  });

  it("is removed once, by its ticket, and leaves the others in order", () => {
    const queue = queueOf();
    for (const ticket of ["a", "b", "c"]) queue.push(fromHex("01"), 80, ticket);
    expect([queue.remove("b"), queue.remove("b"), queue.remove("x")]).toEqual([true, false, false]);
    expect([queue.shift()?.ticket, queue.shift()?.ticket, queue.shift()]).toEqual(["a", "c", undefined]);
  });

  it("is named when the queue is cleared", () => {
    const queue = queueOf();
    for (const ticket of ["a", "b"]) queue.push(fromHex("01"), 80, ticket);
    expect([queue.clear(), queue.clear(), queue.isEmpty]).toEqual([["a", "b"], [], true]);
  });
});

describe("the frames of one device's statuses", () => {
  it("use the memory of a free one, for a status of the same length, once", () => {
    const queue = queueOf();
    const first = frameOf(queue, fromHex("01"));
    queue.recycle(first);
    const second = frameOf(queue, fromHex("02"));
    const third = frameOf(queue, fromHex("03"));
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    expect([hex(second), hex(third)]).toEqual([`1900000012170a12${BUTTON}120102`, `1900000012170a12${BUTTON}120103`]);
  });

  it("do not keep the memory of a frame larger than 1 MiB and 1 KiB", () => {
    const queue = queueOf();
    const overhead = frameOf(queue, new Uint8Array(MIB)).length - MIB;
    const keeps = [MIB, MIB + 1024, MIB + 1025].map((length) => {
      const status = new Uint8Array(length - overhead);
      const frame = frameOf(queue, status);
      expect(frame.length).toBe(length);
      queue.recycle(frame);
      return frameOf(queue, status) === frame;
    });
    expect(keeps).toEqual([true, true, false]);
  });

  it("keep none when the queue is cleared", () => {
    const queue = queueOf();
    const frame = frameOf(queue, fromHex("01"));
    queue.recycle(frame);
    queue.clear();
    expect(frameOf(queue, fromHex("01"))).not.toBe(frame);
  });

  it("are those that a new frame would be, whatever was sent and recycled before", () => {
    const move = fc.record({ status: fc.uint8Array({ maxLength: 4 }), recycles: fc.option(fc.nat({ max: 3 })) });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 30 }), (moves) => {
        const queue = queueOf();
        const inUse: { frame: Uint8Array; expected: string }[] = [];
        for (const { status, recycles } of moves) {
          inUse.push({ frame: frameOf(queue, status), expected: hex(statusFrame(buttonBytes, status)) });
          for (const { frame, expected } of inUse) expect(hex(frame)).toBe(expected);
          const [free] = recycles === null ? [] : inUse.splice(recycles, 1);
          if (free !== undefined) queue.recycle(free.frame);
        }
      }),
      propertyRuns,
    );
  });
});

describe("a device's frames", () => {
  function framesOf(isFlushed: boolean): Uint8Array[] {
    const device = VirtualDevice.idle();
    for (const name of ["a", "b"]) {
      device.send(name);
      device.receive(commandOf(1));
      if (isFlushed) device.connection.flushed();
      if (isFlushed) device.connection.flushed(); // what is free already is not freed again
    }
    return device.effects.flatMap(({ effect }) => (effect.kind === "write" ? [effect.frame] : []));
  }

  it("are used again once the network has taken them", () => {
    const [first, second] = framesOf(true);
    expect(second).toBe(first);
  });

  it("are not used until then: a push can complete a status whose frame is still being sent", () => {
    const [first, second] = framesOf(false);
    expect(second).not.toBe(first);
  });
});
