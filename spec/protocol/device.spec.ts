import { describe, expect, it } from "@jest/globals";
import { encodeDevice, isSameDevice } from "../../lib/protocol/device.js";
import { hex } from "../support/bytes.js";
import { utf8 } from "../support/virtual-device.js";
import { BUTTON, button } from "../testing/wire.js";

describe("a device's bytes", () => {
  it("are those of the protocol's Device message", () => {
    expect(hex(encodeDevice(button, utf8))).toBe(BUTTON);
  });

  it("hold its numbers up to the largest", () => {
    const largest = { ...button, module: 2 ** 31 - 1, deviceType: 2 ** 32 - 1, priority: 2 ** 32 - 1 };
    const bytes = "08ffffffff07" + "10ffffffff0f" + "1a0474657374" + "2207627574746f6e31" + "28ffffffff0f";
    expect(hex(encodeDevice(largest, utf8))).toBe(bytes);
  });

  it("are none at all for a device of defaults", () => {
    const nothing = { module: 0, deviceType: 0, deviceRole: "", deviceName: "", priority: 0 };
    expect(hex(encodeDevice(nothing, utf8))).toBe("");
  });
});

describe("two devices", () => {
  it("are the same when module, type, role and priority are", () => {
    expect(isSameDevice(button, { ...button })).toBe(true);
  });

  it("are the same under another name", () => {
    expect(isSameDevice(button, { ...button, deviceName: "button2" })).toBe(true);
  });

  it.each([{ module: 1001 }, { deviceType: 1 }, { deviceRole: "Test" }, { priority: 1 }])(
    "are not the same when they differ in %j",
    (difference) => {
      expect(isSameDevice(button, { ...button, ...difference })).toBe(false);
    },
  );
});
