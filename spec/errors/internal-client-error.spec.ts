import { inspect } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { reasons } from "../../lib/errors/reasons.js";
import {
  InternalClientError,
  isCommunicationError,
  isInternalClientError,
  isRefusal,
  isUsageError,
  ReturnCode,
  type ErrorCode,
} from "../../lib/index.js";

// The numbers are those of the C header; the first reason is the default.
const codes: [ErrorCode, number, string, string][] = [
  [
    "NOT_OK",
    -1,
    "usage",
    "invalid-argument aborted queue-full too-large unwritable-status source-failed use-failed fell-behind off-protocol",
  ],
  ["CONTEXT_INCORRECT", -11, "usage", "no-handle destroyed"],
  ["TIMEOUT_OCCURRED", -12, "communication", "timed-out"],
  ["NO_COMMAND_AVAILABLE", -13, "usage", "no-command"],
  ["UNABLE_TO_CONNECT", -14, "communication", "unreachable timed-out closed"],
  ["DEVICE_ALREADY_CONNECTED", -15, "connect", "refused"],
  ["MODULE_NOT_SUPPORTED", -16, "connect", "refused"],
  ["DEVICE_TYPE_NOT_SUPPORTED", -17, "connect", "refused"],
  ["HIGHER_PRIORITY_ALREADY_CONNECTED", -18, "connect", "refused"],
  ["COMMAND_INCORRECT", -19, "communication", "off-protocol unreadable-command"],
  ["DEVICE_INCORRECT", -20, "communication", "wrong-device"],
];

describe("ReturnCode", () => {
  it("has the number of each name and the name of each number, and cannot be changed", () => {
    const numbers = [["OK", 0], ["RESERVED", -10], ...codes] as [keyof typeof ReturnCode, number][];
    const entries = numbers.flatMap(([name, number]) => [
      [name, number],
      [number, name],
    ]);
    expect(ReturnCode).toEqual(Object.fromEntries(entries));
    expect(Object.isFrozen(ReturnCode)).toBe(true);
  });
});

describe("an InternalClientError", () => {
  it.each(codes)("of code %s has the number %i, the family %s, and one of the reasons %s", (...row) => {
    const [code, returnCode, family, all] = row;
    const error = new InternalClientError(code, { message: "what happened" });
    const [reason] = all.split(" ");
    expect(error).toMatchObject({ code, returnCode, family, reason, message: `${code}: what happened` });
    expect(reasons[code].join(" ")).toBe(all);
    const guards = { connect: isRefusal, communication: isCommunicationError, usage: isUsageError };
    const known = Object.entries(guards).filter(([, guard]) => guard(error));
    expect(known.map(([name]) => name)).toEqual([family]);
    expect(isInternalClientError(error)).toBe(true);
  });

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

  it("has no cause and no payload of its own when there is none", () => {
    const error = new InternalClientError("NOT_OK", { message: "alone" });
    expect(Object.hasOwn(error, "cause")).toBe(false);
    expect("payload" in error).toBe(false);
    expect(Object.keys(error).sort()).toEqual(["code", "family", "reason", "returnCode"]);
  });

  it.each<[string, unknown, string]>([
    ["an error", new Error("connect ECONNREFUSED"), ": connect ECONNREFUSED"],
    ["a string", "stop it", ": stop it"],
    ["a host's of several addresses", Object.assign(new Error(""), { code: "ETIMEDOUT" }), ": ETIMEDOUT"],
    ["undefined", undefined, ""],
    ["null", null, ""],
    ["a number", 7, ""],
    ["an object without a message", {}, ""],
    ["an object whose message is no text", { message: 7 }, ""],
    ["an error that says nothing", new Error(""), ""],
    ["an object that throws", Object.defineProperty({}, "message", { get: () => JSON.parse("{") as never }), ""],
  ])("keeps its cause, and ends its message with the cause's: %s", (_, cause, said) => {
    const error = new InternalClientError("UNABLE_TO_CONNECT", { message: "gone", cause });
    expect(error.message).toBe(`UNABLE_TO_CONNECT: gone${said}`);
    expect(Object.hasOwn(error, "cause")).toBe(true);
    expect(error.cause).toBe(cause);
    expect(Object.keys(error)).not.toContain("cause");
  });

  it("escapes control, format and bidirectional characters, in its message and in the cause's", () => {
    const hostile = "\u001b[2J\n\u0085\u007f\u202e\u2028\u200b\ufeff";
    const escaped = "\\u{1b}[2J\\u{a}\\u{85}\\u{7f}\\u{202e}\\u{2028}\\u{200b}\\u{feff}";
    const error = new InternalClientError("COMMAND_INCORRECT", { message: hostile, cause: new Error(hostile) });
    expect(error.message).toBe(`COMMAND_INCORRECT: ${escaped}: ${escaped}`);
    expect(error.stack).toContain(escaped);
  });

  it("has its payload, and is written as JSON and printed with its cause's message, as JSON without the payload", () => {
    const payload = Uint8Array.of(1);
    const details = { reason: "unreadable-command", message: "above", cause: new Error("below"), payload } as const;
    const error = new InternalClientError("COMMAND_INCORRECT", details);
    expect(error.payload).toBe(payload);
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: "InternalClientError",
      code: "COMMAND_INCORRECT",
      returnCode: -19,
      reason: "unreadable-command",
      family: "communication",
      message: "COMMAND_INCORRECT: above: below",
      cause: "below",
    });
    const shown = inspect(error);
    for (const part of ["COMMAND_INCORRECT: above", "-19", "communication", "Error: below"])
      expect(shown).toContain(part);
  });
});
