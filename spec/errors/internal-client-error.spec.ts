import { inspect } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { InternalClientError, type ErrorCode } from "../../lib/index.js";

const families = [
  ["DEVICE_ALREADY_CONNECTED", -15, "connect"],
  ["MODULE_NOT_SUPPORTED", -16, "connect"],
  ["DEVICE_TYPE_NOT_SUPPORTED", -17, "connect"],
  ["HIGHER_PRIORITY_ALREADY_CONNECTED", -18, "connect"],
  ["UNABLE_TO_CONNECT", -14, "communication"],
  ["TIMEOUT_OCCURRED", -12, "communication"],
  ["COMMAND_INCORRECT", -19, "communication"],
  ["DEVICE_INCORRECT", -20, "communication"],
  ["CONTEXT_INCORRECT", -11, "usage"],
  ["NO_COMMAND_AVAILABLE", -13, "usage"],
  ["NOT_OK", -1, "usage"],
] as const satisfies [ErrorCode, number, string][];

describe("an InternalClientError", () => {
  it.each(families)("of code %s has the number %i and the family %s", (code, returnCode, family) => {
    const error = new InternalClientError(code, { message: "what happened" });
    expect(error.code).toBe(code);
    expect(error.returnCode).toBe(returnCode);
    expect(error.family).toBe(family);
    expect(error.message).toBe(`${code}: what happened`);
  });

  it("is of another family if told so", () => {
    const error = new InternalClientError("NOT_OK", { message: "off the protocol", family: "communication" });
    expect(error.family).toBe("communication");
  });

  it("is an Error with a name and a stack that begins with name and message", () => {
    const error = new InternalClientError("TIMEOUT_OCCURRED", { message: "no command came" });
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(InternalClientError);
    expect(error.name).toBe("InternalClientError");
    expect(String(error)).toBe("InternalClientError: TIMEOUT_OCCURRED: no command came");
    expect(error.stack).toContain("TIMEOUT_OCCURRED: no command came");
  });

  it.each([new Error("below"), "a string", null, undefined])("keeps its cause: %p", (cause) => {
    const error = new InternalClientError("NOT_OK", { message: "above", cause });
    expect(Object.hasOwn(error, "cause")).toBe(true);
    expect(error.cause).toBe(cause);
    expect(Object.keys(error)).not.toContain("cause");
  });

  it("has no cause and no payload of its own when there is none", () => {
    const error = new InternalClientError("NOT_OK", { message: "alone" });
    expect(Object.hasOwn(error, "cause")).toBe(false);
    expect(Object.hasOwn(error, "payload")).toBe(false);
    expect("payload" in error).toBe(false);
    expect(Object.keys(error).sort()).toEqual(["code", "family", "returnCode"]);
  });

  it("has the payload it was given", () => {
    const payload = Uint8Array.of(1);
    const error = new InternalClientError("COMMAND_INCORRECT", { message: "unreadable", payload });
    expect(error.payload).toBe(payload);
  });

  it("prints its code, number, family and cause", () => {
    const error = new InternalClientError("UNABLE_TO_CONNECT", { message: "gone", cause: new Error("ECONNREFUSED") });
    const shown = inspect(error);
    for (const part of ["UNABLE_TO_CONNECT: gone", "-14", "communication", "ECONNREFUSED"]) {
      expect(shown).toContain(part);
    }
  });
});
