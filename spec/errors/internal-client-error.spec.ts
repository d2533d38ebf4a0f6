import { inspect } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { reasons } from "../../lib/errors/reasons.js";
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

  it.each([
    [
      "NOT_OK",
      "invalid-argument aborted queue-full too-large unwritable-status source-failed use-failed fell-behind off-protocol",
    ],
    ["CONTEXT_INCORRECT", "no-handle destroyed"],
    ["NO_COMMAND_AVAILABLE", "no-command"],
    ["TIMEOUT_OCCURRED", "timed-out"],
    ["UNABLE_TO_CONNECT", "unreachable timed-out closed"],
    ["COMMAND_INCORRECT", "off-protocol unreadable-command"],
    ["DEVICE_INCORRECT", "wrong-device"],
    ["DEVICE_ALREADY_CONNECTED", "refused"],
    ["MODULE_NOT_SUPPORTED", "refused"],
    ["DEVICE_TYPE_NOT_SUPPORTED", "refused"],
    ["HIGHER_PRIORITY_ALREADY_CONNECTED", "refused"],
  ] as const satisfies [ErrorCode, string][])(
    "of code %s has one of the reasons %s, the first by default",
    (code, all) => {
      const [first] = all.split(" ");
      expect(reasons[code].join(" ")).toBe(all);
      expect(new InternalClientError(code, { message: "" }).reason).toBe(first);
    },
  );

  it("of code NOT_OK is of the family communication when the gateway broke the protocol", () => {
    const error = new InternalClientError("NOT_OK", { message: "off the protocol", reason: "off-protocol" });
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
    expect(Object.keys(error).sort()).toEqual(["code", "family", "reason", "returnCode"]);
  });

  it.each([
    ["an error", new Error("connect ECONNREFUSED"), "connect ECONNREFUSED"],
    ["a string", "stop it", "stop it"],
    [
      "Node's error for a host with several addresses",
      Object.assign(new Error(""), { code: "ETIMEDOUT" }),
      "ETIMEDOUT",
    ],
  ])("ends its message with the message of its cause: %s", (_, cause, said) => {
    const error = new InternalClientError("UNABLE_TO_CONNECT", { message: "gone", cause });
    expect(error.message).toBe(`UNABLE_TO_CONNECT: gone: ${said}`);
  });

  it.each([undefined, null, 7, {}, { message: 7 }, new Error("")])("has a cause that says nothing: %p", (cause) => {
    expect(new InternalClientError("NOT_OK", { message: "above", cause }).message).toBe("NOT_OK: above");
  });

  it("never throws if its cause throws when it is read", () => {
    const cause = Object.defineProperty({}, "message", { get: () => JSON.parse("{") as never });
    expect(new InternalClientError("NOT_OK", { message: "above", cause }).message).toBe("NOT_OK: above");
  });

  it("escapes control, format and bidirectional characters, in its message and in the cause's", () => {
    const hostile = "\u001b[2J\n\u0085\u007f\u202e\u2028\u200b\ufeff";
    const escaped = "\\u{1b}[2J\\u{a}\\u{85}\\u{7f}\\u{202e}\\u{2028}\\u{200b}\\u{feff}";
    const error = new InternalClientError("COMMAND_INCORRECT", { message: hostile, cause: new Error(hostile) });
    expect(error.message).toBe(`COMMAND_INCORRECT: ${escaped}: ${escaped}`);
    expect(error.stack).toContain(escaped);
  });

  it("is written as JSON with its message and its cause's message, without the payload", () => {
    const cause = new Error("below");
    const details = { reason: "unreadable-command", message: "above", cause, payload: Uint8Array.of(1) } as const;
    expect(JSON.parse(JSON.stringify(new InternalClientError("COMMAND_INCORRECT", details)))).toEqual({
      name: "InternalClientError",
      code: "COMMAND_INCORRECT",
      returnCode: -19,
      reason: "unreadable-command",
      family: "communication",
      message: "COMMAND_INCORRECT: above: below",
      cause: "below",
    });
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
