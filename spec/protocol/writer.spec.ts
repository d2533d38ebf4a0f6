import { describe, expect, it } from "@jest/globals";
import { InternalClient, InternalServer } from "../../generated/internal_protocol.js";
import { encodeDevice, type Device } from "../../lib/protocol/device.js";
import { bodyLength, connectFrame, prefixOfBody, statusFrame } from "../../lib/protocol/writer.js";
import { fromHex, hex } from "../support/bytes.js";
import { utf8 } from "../support/virtual-device.js";
import { BUTTON, button, CONNECT, connectWithPriority, PRESSED, STATUS } from "../testing/wire.js";

const buttonBytes = fromHex(BUTTON);

/** A role with which the button's device message, without a name, takes that many bytes; 3 are its module's. */
function deviceOfLength(length: number) {
  const device = { ...button, deviceRole: "r".repeat(length - 5), deviceName: "" };
  expect(encoded(device).length).toBe(length);
  return device;
}

function encoded(device: Device): Uint8Array {
  return encodeDevice(device, utf8);
}

const payloadLengths = [0, 1, 2, 126, 127, 128, 129, 16_383, 16_384, 16_385, 2 ** 21 - 1, 2 ** 21];
const deviceLengths = [18, 126, 127, 128, 129];

const ofDefaults = { module: 0, deviceType: 0, deviceRole: "", deviceName: "", priority: 0 };

describe("a device's bytes", () => {
  const largest = { ...button, module: 2 ** 31 - 1, deviceType: 2 ** 32 - 1, priority: 2 ** 32 - 1 };
  const largestBytes = "08ffffffff07" + "10ffffffff0f" + "1a0474657374" + "2207627574746f6e31" + "28ffffffff0f";

  it.each([
    ["are those of the protocol's Device message", button, BUTTON],
    ["hold its numbers up to the largest", largest, largestBytes],
    ["are none at all for a device of defaults", ofDefaults, ""],
  ])("%s", (_, device, bytes) => {
    expect(hex(encoded(device))).toBe(bytes);
  });
});

describe("the frame with which a device introduces itself", () => {
  it.each([
    ["carries the device", button, CONNECT],
    ["carries its priority", { ...button, priority: 3 }, connectWithPriority(3)],
    ["names a device even when all its fields hold their defaults", ofDefaults, "040000000a020a00"],
  ])("%s", (_, device, frame) => {
    expect(hex(connectFrame(encoded(device)))).toBe(frame);
  });
});

describe("a status's frame", () => {
  it("carries the device and the status", () => {
    expect(hex(statusFrame(buttonBytes, fromHex(PRESSED)))).toBe(STATUS);
  });

  it.each([
    // The body's tag and length, the device's field of 20 bytes, the payload's tag, length and bytes.
    [0, 1 + 1 + 20],
    [17, 1 + 1 + 20 + 1 + 1 + 17],
    [2 ** 28 - 26, 1 + 4 + 20 + 1 + 4 + 2 ** 28 - 26],
    [2 ** 28 - 25, 1 + 5 + 20 + 1 + 4 + 2 ** 28 - 25],
    [2 ** 28 - 1, 1 + 5 + 20 + 1 + 4 + 2 ** 28 - 1],
    [2 ** 28, 1 + 5 + 20 + 1 + 5 + 2 ** 28],
  ])("has a body whose length follows from that of the status: for %d bytes, %d", (payload, body) => {
    expect(bodyLength(buttonBytes, payload)).toBe(body);
  });
});

describe("what comes before a payload", () => {
  const byHand: [number, string][] = [
    [0, `1214 0a12${BUTTON}`],
    [1, `1217 0a12${BUTTON} 1201`],
    [127, `129501 0a12${BUTTON} 127f`],
    [128, `129701 0a12${BUTTON} 128001`],
    [16_383, `12968001 0a12${BUTTON} 12ff7f`],
    [16_384, `12988001 0a12${BUTTON} 12808001`],
    [2 ** 21 - 1, `1297808001 0a12${BUTTON} 12ffff7f`],
    [2 ** 21, `1299808001 0a12${BUTTON} 1280808001`],
  ];

  it.each(byHand)("of %d bytes is %s", (payloadLength, written) => {
    const prefix = written.replaceAll(" ", "");
    const body = statusFrame(buttonBytes, new Uint8Array(payloadLength).fill(0xdd)).subarray(4);
    expect(hex(body.subarray(0, prefix.length / 2))).toBe(prefix);
    expect(body.length).toBe(prefix.length / 2 + payloadLength);
    expect(body.subarray(prefix.length / 2).every((byte) => byte === 0xdd)).toBe(true);
  });

  it.each([
    [127, "128401 0a7f", "1201"],
    [128, "128601 0a8001", "1201"],
  ])("counts a device of %d bytes", (deviceLength, before, behind) => {
    const device = encoded(deviceOfLength(deviceLength));
    const body = statusFrame(device, fromHex("dd")).subarray(4);
    expect(hex(body)).toBe(`${before.replace(" ", "")}${hex(device)}${behind}dd`);
  });
});

describe.each(deviceLengths)("a device of %d bytes", (deviceLength) => {
  const device = deviceOfLength(deviceLength);
  const deviceBytes = encoded(device);

  it.each(payloadLengths)("sends a status of %d bytes as the generated encoder writes it", (payloadLength) => {
    const statusData = new Uint8Array(payloadLength).fill(0xdd);
    const value = { device: { ...device, module: 1000 }, statusData } as const;
    const encoded = InternalClient.encode({ MessageType: { $case: "deviceStatus", value } }).finish();
    const frame = statusFrame(deviceBytes, statusData);
    expect(Buffer.compare(frame.subarray(4), encoded)).toBe(0);
    expect(Buffer.from(frame).readUInt32LE(0)).toBe(encoded.length);
  });

  it.each(payloadLengths)("knows what comes before a command of %d bytes from its body's length", (payloadLength) => {
    const commandData = new Uint8Array(payloadLength).fill(0xdd);
    const value = { device: { ...device, module: 1000 }, commandData } as const;
    const body = InternalServer.encode({ MessageType: { $case: "deviceCommand", value } }).finish();
    const before = body.subarray(0, body.length - payloadLength);
    expect(hex(prefixOfBody(deviceBytes, body.length)!)).toBe(hex(before));
  });

  it("has a prefix for exactly those body lengths that a payload can make", () => {
    const given = new Map<number, number>();
    for (let payload = 0; payload <= 17_000; payload++) given.set(bodyLength(deviceBytes, payload), payload);
    const wrong = [];
    for (let length = 0; length <= 17_000; length++) {
      const payload = given.get(length);
      const expected = payload === undefined ? undefined : length - payload;
      if (prefixOfBody(deviceBytes, length)?.length !== expected) wrong.push(length);
    }
    expect(wrong.slice(0, 3)).toEqual([]);
  });
});

describe("a body of a length that no payload makes", () => {
  it.each([
    [24, "an empty payload written out, which proto3 leaves out"],
    [2_097_156, "between a message length of three bytes and one of four"],
  ])("has no prefix: %d bytes, %s", (length) => {
    expect(prefixOfBody(buttonBytes, length)).toBeUndefined();
  });
});
