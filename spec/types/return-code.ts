import { ReturnCode, type ErrorCode } from "../../lib/index.js";
import { same } from "./same.js";

// From the name to the number.
same<typeof ReturnCode.OK, 0>();
same<typeof ReturnCode.NOT_OK, -1>();
same<typeof ReturnCode.RESERVED, -10>();
same<typeof ReturnCode.CONTEXT_INCORRECT, -11>();
same<typeof ReturnCode.DEVICE_INCORRECT, -20>();

// And back.
same<(typeof ReturnCode)[0], "OK">();
same<(typeof ReturnCode)[-1], "NOT_OK">();
same<(typeof ReturnCode)[-12], "TIMEOUT_OCCURRED">();
same<(typeof ReturnCode)[-20], "DEVICE_INCORRECT">();

// An error has any code but OK and the placeholder.
same<Exclude<Extract<keyof typeof ReturnCode, string>, ErrorCode>, "OK" | "RESERVED">();
same<
  Extract<keyof typeof ReturnCode, number>,
  0 | -1 | -10 | -11 | -12 | -13 | -14 | -15 | -16 | -17 | -18 | -19 | -20
>();

// @ts-expect-error there is no such number
ReturnCode[-2];
// @ts-expect-error there is no such name
ReturnCode.SOME_CODE;
// @ts-expect-error it cannot be changed
ReturnCode.OK = 1;
