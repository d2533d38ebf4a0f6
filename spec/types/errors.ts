import {
  connect,
  exchange,
  getCommand,
  InternalClientError,
  isInternalClientError,
  isRefusal,
  ReturnCode,
  type ConnectError,
  type ErrorCode,
  type GetCommandError,
  type SendStatusError,
} from "../../lib/index.js";
import { same } from "./same.js";

// From the name to the number, and back.
same<typeof ReturnCode.OK, 0>();
same<typeof ReturnCode.DEVICE_INCORRECT, -20>();
same<(typeof ReturnCode)[-12], "TIMEOUT_OCCURRED">();
same<Extract<keyof typeof ReturnCode, number>, 0 | -1 | -10 | NegativeCode>();
type NegativeCode = -11 | -12 | -13 | -14 | -15 | -16 | -17 | -18 | -19 | -20;
// @ts-expect-error there is no such number
ReturnCode[-2];
// @ts-expect-error it cannot be changed
ReturnCode.OK = 1;

// An error has any code but OK and the placeholder.
same<Exclude<Extract<keyof typeof ReturnCode, string>, ErrorCode>, "OK" | "RESERVED">();

// Each function's errors have the codes of the C function, and no other.
type Refusal =
  | "DEVICE_ALREADY_CONNECTED"
  | "HIGHER_PRIORITY_ALREADY_CONNECTED"
  | "MODULE_NOT_SUPPORTED"
  | "DEVICE_TYPE_NOT_SUPPORTED";
same<ConnectError["code"], Refusal | "UNABLE_TO_CONNECT" | "DEVICE_INCORRECT" | "NOT_OK">();
same<SendStatusError["code"], ConnectError["code"] | "CONTEXT_INCORRECT" | "TIMEOUT_OCCURRED" | "COMMAND_INCORRECT">();
same<GetCommandError["code"], "CONTEXT_INCORRECT" | "NO_COMMAND_AVAILABLE" | "COMMAND_INCORRECT">();

// A switch over the code can be exhausted.
export function onGetCommandError(error: GetCommandError): string {
  switch (error.code) {
    case "CONTEXT_INCORRECT":
      return "destroyed";
    case "NO_COMMAND_AVAILABLE":
      return "not yet";
    case "COMMAND_INCORRECT":
      return "unreadable";
    // @ts-expect-error getCommand cannot give this
    case "TIMEOUT_OCCURRED":
      return "never";
    default:
      return error satisfies never;
  }
}

export async function incomplete(...[handle, status]: Parameters<typeof exchange>) {
  const outcome = await exchange(handle, status);
  if (outcome.isOk()) return undefined;
  // @ts-expect-error there are other codes than this one
  if (outcome.error.code !== "TIMEOUT_OCCURRED") outcome.error.code satisfies never;
  return outcome.error;
}

// The code narrows everything else.
export function narrowed(error: SendStatusError): void {
  if (error.code === "TIMEOUT_OCCURRED") {
    same<typeof error, InternalClientError<"TIMEOUT_OCCURRED">>();
    same<typeof error.returnCode, -12>();
    same<typeof error.reason, "timed-out">();
  }
  if (error.code === "UNABLE_TO_CONNECT") same<typeof error.reason, "unreachable" | "timed-out" | "closed">();
}

// Code and number belong together.
export const timeout = new InternalClientError("TIMEOUT_OCCURRED", { message: "" });
same<typeof timeout.code, "TIMEOUT_OCCURRED">();
same<typeof timeout.returnCode, -12>();
same<typeof timeout.family, "connect" | "communication" | "usage">();
same<typeof timeout.payload, Uint8Array | undefined>();
// @ts-expect-error there is no such code
new InternalClientError("OK", { message: "" });

// The errors of one function can be given as errors of all.
export function general(error: ConnectError | SendStatusError | GetCommandError): InternalClientError {
  return error;
}

// The guards narrow what was caught.
export function caught(thrown: unknown): ErrorCode | undefined {
  // @ts-expect-error nothing is known of it yet
  thrown.code;
  if (isRefusal(thrown)) same<typeof thrown.code, Refusal>();
  return isInternalClientError(thrown) ? thrown.code : undefined;
}

// Without a look at the outcome there is no value.
export function unchecked(...[config]: Parameters<typeof connect>) {
  // @ts-expect-error it may be an Err
  connect(config).value;
  // @ts-expect-error it may be an Err
  connect(config).andThen(getCommand).value;
}
