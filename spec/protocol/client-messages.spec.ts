import { describe, expect, it } from "@jest/globals";
import { connectFrame, statusBodyLength, statusFrame } from "../../lib/protocol/client-messages.js";
import { encodeDevice } from "../../lib/protocol/device.js";
import { fromHex, hex } from "../support/bytes.js";
import { BUTTON, button, CONNECT, connectWithPriority, PRESSED, STATUS } from "../testing/wire.js";

const buttonBytes = fromHex(BUTTON);

describe("the frame with which a device connects", () => {
  it("carries the device", () => {
    expect(hex(connectFrame(buttonBytes))).toBe(CONNECT);
  });

  it("carries its priority", () => {
    expect(hex(connectFrame(encodeDevice({ ...button, priority: 3 })))).toBe(connectWithPriority(3));
  });

  it("names a device even when all its fields hold their defaults", () => {
    const nothing = { module: 0, deviceType: 0, deviceRole: "", deviceName: "", priority: 0 };
    expect(hex(connectFrame(encodeDevice(nothing)))).toBe("040000000a020a00");
  });
});

describe("a status's frame", () => {
  it("carries the device and the status", () => {
    expect(hex(statusFrame(buttonBytes, fromHex(PRESSED)))).toBe(STATUS);
  });

  it("has no field for a status without bytes", () => {
    expect(hex(statusFrame(buttonBytes, new Uint8Array(0)))).toBe(`1600000012140a12${BUTTON}`);
  });

  it("keeps its bytes when the status's own are written over", () => {
    const status = fromHex(PRESSED);
    const frame = statusFrame(buttonBytes, status);
    status.fill(0);
    expect(hex(frame)).toBe(STATUS);
  });

  it("is 4 bytes longer than the length of its body that is foretold", () => {
    expect(statusBodyLength(buttonBytes, fromHex(PRESSED))).toBe(0x29);
    expect(statusBodyLength(buttonBytes, new Uint8Array(0))).toBe(0x16);
  });
});
