import { runInNewContext } from "node:vm";
import { describe, expect, it } from "@jest/globals";
import {
  InternalClientError,
  isCommunicationError,
  isRefusal,
  isInternalClientError,
  isUsageError,
} from "../../lib/index.js";

const familyGuards = { connect: isRefusal, communication: isCommunicationError, usage: isUsageError };
const guards = [isInternalClientError, ...Object.values(familyGuards)];

function expectOfFamily(error: unknown, family: string): void {
  expect(isInternalClientError(error)).toBe(true);
  for (const [name, guard] of Object.entries(familyGuards))
    expect([name, guard(error)]).toEqual([name, name === family]);
}

describe("the guards know an error of the library", () => {
  it.each([
    ["DEVICE_ALREADY_CONNECTED", "connect"],
    ["MODULE_NOT_SUPPORTED", "connect"],
    ["DEVICE_TYPE_NOT_SUPPORTED", "connect"],
    ["HIGHER_PRIORITY_ALREADY_CONNECTED", "connect"],
    ["UNABLE_TO_CONNECT", "communication"],
    ["TIMEOUT_OCCURRED", "communication"],
    ["COMMAND_INCORRECT", "communication"],
    ["DEVICE_INCORRECT", "communication"],
    ["CONTEXT_INCORRECT", "usage"],
    ["NO_COMMAND_AVAILABLE", "usage"],
    ["NOT_OK", "usage"],
  ] as const)("of code %s, and that its family is %s", (code, family) => {
    expectOfFamily(new InternalClientError(code, { message: "of this copy" }), family);
  });

  it("by its own family, if the gateway caused a NOT_OK", () => {
    const error = new InternalClientError("NOT_OK", { message: "off the protocol", reason: "off-protocol" });
    expectOfFamily(error, "communication");
  });

  it("from another realm, whose Error is another", () => {
    const error: unknown = runInNewContext(`
      const error = new Error("TIMEOUT_OCCURRED: from another realm");
      Object.assign(error, { name: "InternalClientError", code: "TIMEOUT_OCCURRED", returnCode: -12, family: "communication" });
    `);
    expect(error instanceof Error).toBe(false);
    expectOfFamily(error, "communication");
  });

  it("as a plain object of its shape, such as one that went through a worker or a log", () => {
    const error = { name: "InternalClientError", code: "MODULE_NOT_SUPPORTED", returnCode: -16, family: "connect" };
    expectOfFamily(error, "connect");
  });
});

function throwing(field: string): object {
  const error = { name: "InternalClientError", code: "NOT_OK", returnCode: -1, family: "usage" };
  return Object.defineProperty(error, field, {
    get() {
      throw new Error("boom");
    },
  });
}

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe("the guards refuse, and never throw at", () => {
  const shape = { name: "InternalClientError", code: "NOT_OK", returnCode: -1, family: "usage" };
  const junk: [string, unknown][] = [
    ["undefined", undefined],
    ["null", null],
    ["a string", "NOT_OK"],
    ["a number", -1],
    ["a function", () => shape],
    ["an empty object", {}],
    ["an error of another kind", new Error("NOT_OK: no")],
    ["a system error", Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", errno: -111 })],
    ["another name", { ...shape, name: "Error" }],
    ["a code that there is not", { ...shape, code: "SOME_CODE" }],
    ["a code and a number that do not belong together", { ...shape, returnCode: -12 }],
    ["a number as text", { ...shape, returnCode: "-1" }],
    ["OK, which is no error", { ...shape, code: "OK", returnCode: 0 }],
    ["RESERVED, which is no error", { ...shape, code: "RESERVED", returnCode: -10 }],
    ["a number in the code's place", { ...shape, code: "-12", returnCode: "TIMEOUT_OCCURRED" }],
    ["a name from Object's prototype as the code", { ...shape, code: "constructor", returnCode: Object }],
    ["an object whose name throws", throwing("name")],
    ["an object whose code throws", throwing("code")],
    ["an object whose returnCode throws", throwing("returnCode")],
    ["a revoked proxy", revokedProxy()],
  ];

  it.each(junk)("%s", (_, value) => {
    for (const guard of guards) expect(guard(value)).toBe(false);
  });

  it("an object whose family throws or is not one: it is of no family", () => {
    for (const value of [throwing("family"), { ...shape, family: "other" }, { ...shape, family: undefined }]) {
      expect(Object.values(familyGuards).map((guard) => guard(value))).toEqual([false, false, false]);
    }
  });
});
