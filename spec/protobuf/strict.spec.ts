import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { InternalServer } from "../../generated/internal_protocol.js";
import { assertStructure, type MessageStructure } from "../../lib/protobuf/strict.js";
import { fromHex } from "../support/bytes.js";
import { propertyRuns } from "../support/property-runs.js";
import { BUTTON } from "../testing/wire.js";

const NUMBER = { wireType: 0 };
const BYTES = { wireType: 2 };
const DEVICE: MessageStructure = { 1: NUMBER, 2: NUMBER, 3: BYTES, 4: BYTES, 5: NUMBER };
const INTERNAL_SERVER: MessageStructure = {
  1: { ...BYTES, oneof: 1, message: { 1: NUMBER, 2: { ...BYTES, message: DEVICE } } },
  2: { ...BYTES, oneof: 1, message: { 1: { ...BYTES, message: DEVICE }, 2: BYTES } },
};

function assertServerMessage(bytes: string): void {
  assertStructure(fromHex(bytes), INTERNAL_SERVER);
}

describe("the structure of a message", () => {
  it.each([
    ["no field at all", ""],
    ["a connect response", `0a141212${BUTTON}`],
    ["a connect response with its type", `0a1608011212${BUTTON}`],
    ["a command", `12170a12${BUTTON}120107`],
    ["a command's fields in the other order", `12171201070a12${BUTTON}`],
    ["a tag in more bytes than it needs", `920017` + `0a12${BUTTON}120107`],
    ["a length in more bytes than it needs", `129700` + `0a12${BUTTON}120107`],
    ["unknown fields of each wire type", "7801" + "790102030405060708" + "7a0109" + "7d01020304" + "7b08017c"],
    ["unknown fields in a command", "1205" + "1a0101" + "2001"],
    ["unknown fields in a device", `121a0a18${BUTTON}` + "32020102" + "3801"],
    ["a number of ten bytes", "78" + "ff".repeat(9) + "01"],
    ["a group in a group", "7b838001848001" + "7c"],
    ["an unknown field any number of times", "7801".repeat(10_000)],
  ])("accepts %s", (_what, bytes) => {
    expect(() => assertServerMessage(bytes)).not.toThrow();
  });

  it.each([
    ["a number as eight bytes", `0a09090102030405060708`, "field 1 has the wire type 1"],
    ["a number as a group", "12040a020b0c", "field 1 has the wire type 3"],
    ["a number as four bytes", "12070a051501020304", "field 2 has the wire type 5"],
    ["bytes as a number", "12040a021801", "field 3 has the wire type 0"],
    ["a message as a number", "12050805120107", "field 1 has the wire type 0"],
    ["a device that reaches past its command", `12140a14${BUTTON}7801`, "reaches past the end"],
    ["data that reach past their command", "1204120301ff" + "78017801", "reaches past the end"],
    ["a command that reaches past its body", `12180a12${BUTTON}120107`, ""],
    ["a command of nearly 2^32 bytes", `12ffffffff0f0a12${BUTTON}120107`, ""],
    ["an unknown field that reaches past the end", "7a0201", "premature EOF"],
    ["a number that does not end", "78ff", "premature EOF"],
    ["a number of more than ten bytes", "78" + "80".repeat(10) + "00", "invalid varint"],
    ["half of a number of four bytes", "7d0102", "premature EOF"],
    ["a tag of 0", `12170a12${BUTTON}12010700`, "illegal tag"],
    ["a tag of 0 within a device", `12180a13${BUTTON}00120107`, "illegal tag"],
    ["the field number 0", "0201", "illegal tag"],
    ["wire type 6", "7e", "illegal tag"],
    ["wire type 7", "7f", "illegal tag"],
    ["a tag above 32 bits", "f8ffffff1f01", "illegal tag"],
    ["the end of a group that never began", `12170a12${BUTTON}1201077c`, "wire type 4"],
    ["a group that never ends", "7b0801", ""],
    ["a group that ends as another", "7b0801848001", "group 15 ends as group 2048"],
    ["groups in groups beyond measure", "7b".repeat(1_000), "nested too deeply"],
    ["a command twice", `12170a12${BUTTON}120107`.repeat(2), "comes more than once"],
    ["a response beside a command", `0a141212${BUTTON}12170a12${BUTTON}120107`, "comes more than once"],
    ["a command's device twice", `12280a12${BUTTON}0a12${BUTTON}`, "comes more than once"],
    ["a module twice", "12060a0408010801", "comes more than once"],
  ])("rejects %s", (_what, bytes, message) => {
    expect(() => assertServerMessage(bytes)).toThrow(message);
  });

  it("accepts whatever the generated encoder writes", () => {
    const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const device = fc.option(
      fc.record({
        module: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        deviceType: uint32,
        deviceRole: fc.string({ unit: "grapheme" }),
        deviceName: fc.string({ unit: "grapheme" }),
        priority: uint32,
      }),
      { nil: undefined },
    );
    const responseType = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const connectResponse = fc.record({ responseType, device }).map((value) => ({
      $case: "deviceConnectResponse" as const,
      value,
    }));
    const command = fc.record({ device, commandData: fc.uint8Array({ max: 255, maxLength: 300 }) }).map((value) => ({
      $case: "deviceCommand" as const,
      value,
    }));
    fc.assert(
      fc.property(fc.oneof(connectResponse, command), (MessageType) => {
        assertStructure(InternalServer.encode({ MessageType } as InternalServer).finish(), INTERNAL_SERVER);
      }),
      propertyRuns,
    );
  });

  it.each([
    ["in the message", "7801".repeat(11)],
    ["in a message within it", "1214" + "1801".repeat(10)],
    ["in a group", "7b" + "0801".repeat(9) + "7c"],
  ])("accepts at most the given number of fields, %s", (_where, bytes) => {
    expect(() => assertStructure(fromHex(bytes), INTERNAL_SERVER, 10)).toThrow("it has too many fields");
    expect(() => assertStructure(fromHex(bytes), INTERNAL_SERVER, 11)).not.toThrow();
  });
});
