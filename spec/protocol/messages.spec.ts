import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Device } from "../../lib/protocol/device.js";
import { commandFrame, connectResponseFrame } from "../../lib/testing.js";
import { hex } from "../support/bytes.js";
import { propertyRuns } from "../support/property-runs.js";
import { bytesField, framed, varint } from "../support/protobuf-fields.js";
import { LIMITS, utf8, VirtualDevice } from "../support/virtual-device.js";
import { BUTTON, button } from "../testing/wire.js";

/** What a device makes of a message: of a connect response while it waits for one, else of a message to an idle device. */
function shown(body: string, device: Device = button): string {
  const virtual = new VirtualDevice(LIMITS, device);
  virtual.opened();
  if (!body.startsWith("0a")) virtual.receive(hex(connectResponseFrame(device, 0)));
  virtual.effects.length = 0;
  virtual.receive(framed(body));
  const effects = virtual.effects.map(({ effect }) => effect);
  const [first, second] = effects;
  if (first?.kind === "command") return `own command ${hex(first.command)}`;
  if (first?.kind === "ignored") return first.message;
  if (first?.kind === "connected") return "accepted";
  if (second?.kind === "refused") return second.code;
  const trouble = effects.find((effect) => effect.kind === "dropped" || effect.kind === "ended");
  return trouble?.failure?.message ?? "nothing";
}

const foreign = "the gateway sent a command for another device";
const nameless = "the gateway sent a command that names no device";

// The button's fields, one by one: module, role, name. Type 0 and priority 0 are left out, as proto3 has it.
const MODULE = "08e807";
const ROLE = "1a0474657374";
const NAME = "2207627574746f6e31";

describe("a command", () => {
  it.each([
    ["as gateways send it", `12170a12${BUTTON}120107`, "07"],
    ["without bytes, their field left out", `12140a12${BUTTON}`, ""],
    ["without bytes, their field written out", `12160a12${BUTTON}1200`, ""],
    ["whose fields come in the other order", `12171201070a12${BUTTON}`, "07"],
    ["with an unknown field in the message around it", `12170a12${BUTTON}120107` + "7801", "07"],
    ["with an unknown field behind its bytes", `12190a12${BUTTON}120107` + "1801", "07"],
    ["with an unknown field before its device", `12191801` + `0a12${BUTTON}120107`, "07"],
    ["with unknown fields that are groups", `12170a12${BUTTON}120107` + "7b08017c", "07"],
  ])("%s is for this device, with its bytes", (_what, body, command) => {
    expect(shown(body)).toBe(`own command ${command}`);
  });

  it.each([
    ["carries another name", MODULE + ROLE + "2207627574746f6e32"],
    ["carries a shorter name", MODULE + ROLE + "220162"],
    ["carries no name", MODULE + ROLE],
    ["carries its fields in another order", NAME + ROLE + MODULE],
    ["writes out the fields that hold their defaults", MODULE + "1000" + ROLE + NAME + "2800"],
    ["carries fields that are not known yet", MODULE + ROLE + NAME + "3001" + "3a0105"],
  ])("is for this device when its device %s", (_what, device) => {
    expect(shown(bytesField(2, bytesField(1, device) + "120107"))).toBe("own command 07");
  });

  it.each([
    ["module", "08e907" + ROLE + NAME],
    ["module, none", ROLE + NAME],
    ["type", MODULE + "1001" + ROLE + NAME],
    ["role", MODULE + "1a0474657375" + NAME],
    ["role, none", MODULE + NAME],
    ["role, with a byte order mark before it", MODULE + "1a07efbbbf74657374" + NAME],
    ["priority", MODULE + ROLE + NAME + "2801"],
    ["everything: it is all defaults", ""],
  ])("is for another device when its device differs in %s", (_what, device) => {
    expect(shown(bytesField(2, bytesField(1, device) + "120107"))).toBe(foreign);
  });

  it("is for no device when it names none", () => {
    expect(shown("1203120107")).toBe(nameless);
    expect(shown("1200")).toBe(nameless);
  });

  it.each([
    ["to this device", `12190a12${BUTTON}1203070809`],
    ["to this device, in an unusual order", `121912030708090a12${BUTTON}`],
  ])("%s has bytes that the next chunk does not touch", (_whose, body) => {
    const device = VirtualDevice.idle();
    device.receive(framed(body));
    device.receive("ff".repeat(60));
    const effect = device.effects[0]!.effect;
    if (effect.kind !== "command") throw new Error(`It is ${effect.kind}`);
    expect(hex(effect.command)).toBe("070809");
    expect([effect.command.byteOffset, effect.command.buffer.byteLength]).toEqual([0, 3]);
  });
});

describe("a connect response", () => {
  it.each([
    ["of type 0", `0a1608001212${BUTTON}`, "accepted"],
    ["of type 0, which is left out", `0a141212${BUTTON}`, "accepted"],
    ["of type 1", `0a1608011212${BUTTON}`, "DEVICE_ALREADY_CONNECTED"],
    ["of type 2", `0a1608021212${BUTTON}`, "MODULE_NOT_SUPPORTED"],
    ["of type 3", `0a1608031212${BUTTON}`, "DEVICE_TYPE_NOT_SUPPORTED"],
    ["of type 4", `0a1608041212${BUTTON}`, "HIGHER_PRIORITY_ALREADY_CONNECTED"],
    ["of type 99", `0a1608631212${BUTTON}`, "the connect response has the unknown type 99"],
    ["of type -1", `0a1f08ffffffffffffffffff011212${BUTTON}`, "the connect response has the unknown type -1"],
    ["with an unknown field in it", `0a1808021212${BUTTON}1801`, "MODULE_NOT_SUPPORTED"],
    ["with an unknown field behind it", `0a1608021212${BUTTON}7801`, "MODULE_NOT_SUPPORTED"],
    [
      "to another device",
      "0a0d120b" + "08e907" + "1a0474657374" + "2200",
      "the gateway sent a connect response for another device",
    ],
    ["to no device", "0a020800", "the gateway sent a connect response that names no device"],
    ["of no field at all", "0a00", "the gateway sent a connect response that names no device"],
  ])("%s: %s means %s", (_what, body, meaning) => {
    expect(shown(body)).toBe(meaning);
  });

  it("is for a device of defaults when it names a device of defaults", () => {
    const nothing = { module: 0, deviceType: 0, deviceRole: "", deviceName: "", priority: 0 };
    expect(shown("0a021200", nothing)).toBe("accepted");
    expect(shown("0a00", nothing)).toBe("the gateway sent a connect response that names no device");
  });
});

describe("a message that cannot be decoded", () => {
  const command = (device: string) => bytesField(2, bytesField(1, device) + "120107");

  it.each([
    ["of unknown fields only", "7801", "neither a connect response nor a command"],
    ["of nothing but ff", "ffffffff", "premature EOF"],
    ["of more fields than any gateway sends", "7801".repeat(1_001), "it has too many fields"],
    ["with a connect response that is a number", "0801", "field 1 has the wire type 0"],
    ["with a connect response whose type is bytes", bytesField(1, `0a001212${BUTTON}`), "field 1 has the wire type 2"],
    ["with a connect response whose device is a number", "0a021001", "field 2 has the wire type 0"],
    ["whose command is a number", "1005", "field 2 has the wire type 0"],
    ["whose command's device is a number", "12050805120107", "field 1 has the wire type 0"],
    ["whose command's bytes are a number", `12160a12${BUTTON}1005`, "field 2 has the wire type 0"],
    ["whose module is bytes", command("0a00"), "field 1 has the wire type 2"],
    ["whose type is four bytes", command("1501020304"), "field 2 has the wire type 5"],
    ["whose role is a number", command("1801"), "field 3 has the wire type 0"],
    ["whose name is a number", command("2001"), "field 4 has the wire type 0"],
    ["whose priority is bytes", command("2a00"), "field 5 has the wire type 2"],
    [
      "with a connect response and a command",
      `12170a12${BUTTON}120107` + `0a141212${BUTTON}`,
      "beside its alternative",
    ],
    ["with two commands", `12170a12${BUTTON}120107` + `12170a12${BUTTON}120108`, "field 2 comes more than once"],
    ["with its bytes twice", bytesField(2, `0a12${BUTTON}120107120108`), "field 2 comes more than once"],
    ["whose module comes twice", command(MODULE + MODULE + ROLE + NAME), "field 1 comes more than once"],
    ["whose device reaches past its command", `12140a14${BUTTON}7801`, "a field reaches past the end"],
    ["with a tag of 0 behind it", `12170a12${BUTTON}12010700`, "illegal tag"],
    ["with garbage behind it", `12170a12${BUTTON}120107ff`, "premature EOF"],
    ["whose role is not UTF-8", command(MODULE + "1a02c328" + NAME), "not valid for encoding utf-8"],
    ["whose name is not UTF-8", command(MODULE + ROLE + "2202c328"), "not valid for encoding utf-8"],
    ["whose name is a lone surrogate", command(MODULE + ROLE + "2203eda080"), "not valid for encoding utf-8"],
  ])("is one %s", (_what, body, detail) => {
    expect(shown(body)).toMatch(/^the gateway's message /);
    expect(shown(body)).toContain(detail);
  });

  it("is not one whose role and name have characters beyond ASCII", () => {
    expect(shown(command(MODULE + ROLE + "2202c3a9"))).toBe("own command 07");
    expect(shown(command(MODULE + "1a02c3a9"), { ...button, deviceRole: "é" })).toBe("own command 07");
  });

  it("is a command cut short at any byte", () => {
    const whole = `12170a12${BUTTON}120107`;
    for (let length = 2; length < whole.length; length += 2)
      expect(shown(whole.slice(0, length))).toMatch(/^the gateway's message /);
    expect(shown(whole)).toBe("own command 07");
  });
});

describe("the fast path for a command in its usual form", () => {
  const device = fc.record({
    module: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    deviceType: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    deviceRole: fc.string({ unit: "grapheme", maxLength: 140 }),
    deviceName: fc.string({ unit: "grapheme", maxLength: 20 }),
    priority: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  });
  const payload = fc.uint8Array({ maxLength: 300 });

  it("does not decode it, wherever it is in its chunk and wherever it is cut", () => {
    let decoded = 0;
    const decode = (bytes: Uint8Array) => {
      decoded++;
      return utf8.decode(bytes);
    };
    const accented = { ...button, deviceRole: "é" }; // ASCII is not decoded by `decode`
    const connected = new VirtualDevice(LIMITS, accented, { ...utf8, decode });
    connected.opened();
    connected.receive(hex(connectResponseFrame(accented, 0)));
    expect(decoded).toBe(1);
    const commandOfLength = (length: number) => hex(commandFrame(accented, new Uint8Array(length)));
    const [short, long] = [commandOfLength(1), commandOfLength(200)];
    for (let at = 0; at < long.length; at += 2) {
      connected.receive(short + long.slice(0, at));
      connected.receive(long.slice(at) + short);
    }
    expect(connected.timesOf("command").length).toBe(3 * (long.length / 2));
    expect(decoded).toBe(1);
  });

  it("returns the same as the decoder for every other encoding of the command", () => {
    fc.assert(
      fc.property(device, payload, (owner, bytes) => {
        const named = bytesField(1, deviceBytes(owner));
        const data = bytes.length > 0 ? bytesField(2, hex(bytes)) : "";
        const spellings = [named + data, data + named, named + data + "1801", named + bytesField(2, hex(bytes))];
        const found = spellings.map((inner) => shown(bytesField(2, inner), owner));
        expect(found).toEqual(Array(4).fill(`own command ${hex(bytes)}`));
      }),
      propertyRuns,
    );
  });

  /** The Device message by hand. */
  function deviceBytes({ module, deviceType, deviceRole, deviceName, priority }: Device): string {
    const number = (tag: string, value: number) => (value === 0 ? "" : tag + varint(value));
    const text = (field: number, value: string) =>
      value === "" ? "" : bytesField(field, Buffer.from(value).toString("hex"));
    return (
      number("08", module) +
      number("10", deviceType) +
      text(3, deviceRole) +
      text(4, deviceName) +
      number("28", priority)
    );
  }
});

describe("two devices whose messages are of the same length", () => {
  it("each read only their own commands, whichever read one before", () => {
    const left = { ...button, deviceRole: "left" };
    const right = { ...button, deviceRole: "rite" };
    const toLeft = hex(commandFrame(left, Uint8Array.of(1)).slice(4));
    const toRight = hex(commandFrame(right, Uint8Array.of(2)).slice(4));
    for (let round = 0; round < 2; round++) {
      expect(shown(toLeft, left)).toBe("own command 01");
      expect(shown(toLeft, right)).toBe(foreign);
      expect(shown(toRight, right)).toBe("own command 02");
      expect(shown(toRight, left)).toBe(foreign);
    }
  });
});
