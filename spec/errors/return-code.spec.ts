import { describe, expect, it } from "@jest/globals";
import { ReturnCode } from "../../lib/index.js";

// As in the C header.
const codes = [
  ["OK", 0],
  ["NOT_OK", -1],
  ["RESERVED", -10],
  ["CONTEXT_INCORRECT", -11],
  ["TIMEOUT_OCCURRED", -12],
  ["NO_COMMAND_AVAILABLE", -13],
  ["UNABLE_TO_CONNECT", -14],
  ["DEVICE_ALREADY_CONNECTED", -15],
  ["MODULE_NOT_SUPPORTED", -16],
  ["DEVICE_TYPE_NOT_SUPPORTED", -17],
  ["HIGHER_PRIORITY_ALREADY_CONNECTED", -18],
  ["COMMAND_INCORRECT", -19],
  ["DEVICE_INCORRECT", -20],
] as const;

describe("ReturnCode", () => {
  it.each(codes)("%s is %i, and back", (name, number) => {
    expect(ReturnCode[name]).toBe(number);
    expect(ReturnCode[number]).toBe(name);
  });

  it("has nothing else", () => {
    expect(Object.keys(ReturnCode).sort()).toEqual(codes.flatMap(([name, number]) => [name, String(number)]).sort());
  });

  it("cannot be changed", () => {
    expect(Object.isFrozen(ReturnCode)).toBe(true);
  });
});
