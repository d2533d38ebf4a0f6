import { describe, expect, it } from "@jest/globals";
import { connectAnswer } from "../../lib/protocol/response-type.js";

describe("a connect response's type", () => {
  it.each([
    [0, { kind: "accepted" }],
    [1, { kind: "refused", code: "DEVICE_ALREADY_CONNECTED" }],
    [2, { kind: "refused", code: "MODULE_NOT_SUPPORTED" }],
    [3, { kind: "refused", code: "DEVICE_TYPE_NOT_SUPPORTED" }],
    [4, { kind: "refused", code: "HIGHER_PRIORITY_ALREADY_CONNECTED" }],
    [5, { kind: "unknown" }],
    [99, { kind: "unknown" }],
    [-1, { kind: "unknown" }],
  ])("of %d means %j", (responseType, answer) => {
    expect(connectAnswer(responseType)).toEqual(answer);
  });
});
