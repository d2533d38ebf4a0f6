import { runInNewContext } from "node:vm";
import { describe, expect, it } from "@jest/globals";
import { isCommunicationError, isInternalClientError, isRefusal, isUsageError } from "../../lib/index.js";

const ofFamily = [isRefusal, isCommunicationError, isUsageError];
const shape = { name: "InternalClientError", code: "NOT_OK", returnCode: -1, family: "usage" };

function throwing(field: string): object {
  return Object.defineProperty({ ...shape }, field, { get: () => JSON.parse("{") as never });
}

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

// Those of this copy, and their families: internal-client-error.spec.ts.
describe("the guards know an error of the library", () => {
  it.each([
    ["from another realm, whose Error is another", "Object.assign(new Error(), shape)"],
    ["as a plain object of its shape, such as one that went through a worker or a log", "shape"],
  ])("%s", (_, code) => {
    const error: unknown = runInNewContext(code, { shape: { ...shape } });
    expect(error instanceof Error).toBe(false);
    expect(isInternalClientError(error)).toBe(true);
    expect(ofFamily.map((guard) => guard(error))).toEqual([false, false, true]);
  });

  it("as one of no family if its family throws or is not one", () => {
    for (const value of [throwing("family"), { ...shape, family: "other" }, { ...shape, family: undefined }])
      expect(ofFamily.map((guard) => guard(value))).toEqual([false, false, false]);
  });
});

describe("the guards refuse, and never throw at", () => {
  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["null", null],
    ["a string", "NOT_OK"],
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
  ])("%s", (_, value) => {
    for (const guard of [isInternalClientError, ...ofFamily]) expect(guard(value)).toBe(false);
  });
});
