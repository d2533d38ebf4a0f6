import {
  connect,
  exchange,
  getCommand,
  InternalClientError,
  isInternalClientError,
  isRefusal,
  type ConnectError,
  type ErrorCode,
  type GetCommandError,
  type SendStatusError,
} from "../../lib/index.js";
import { same } from "./same.js";

// Each function's errors have the codes of the C function, and no other.
same<
  ConnectError["code"],
  | "UNABLE_TO_CONNECT"
  | "DEVICE_ALREADY_CONNECTED"
  | "HIGHER_PRIORITY_ALREADY_CONNECTED"
  | "MODULE_NOT_SUPPORTED"
  | "DEVICE_TYPE_NOT_SUPPORTED"
  | "DEVICE_INCORRECT"
  | "NOT_OK"
>();
same<
  SendStatusError["code"],
  | "CONTEXT_INCORRECT"
  | "TIMEOUT_OCCURRED"
  | "COMMAND_INCORRECT"
  | "DEVICE_INCORRECT"
  | "UNABLE_TO_CONNECT"
  | "DEVICE_ALREADY_CONNECTED"
  | "HIGHER_PRIORITY_ALREADY_CONNECTED"
  | "MODULE_NOT_SUPPORTED"
  | "DEVICE_TYPE_NOT_SUPPORTED"
  | "NOT_OK"
>();
same<GetCommandError["code"], "CONTEXT_INCORRECT" | "NO_COMMAND_AVAILABLE" | "COMMAND_INCORRECT">();

// A switch over the code can be exhausted, function by function.
export function onConnectError(error: ConnectError): string {
  switch (error.code) {
    case "UNABLE_TO_CONNECT":
      return "nobody there";
    case "DEVICE_ALREADY_CONNECTED":
    case "HIGHER_PRIORITY_ALREADY_CONNECTED":
      return "another device is there";
    case "MODULE_NOT_SUPPORTED":
    case "DEVICE_TYPE_NOT_SUPPORTED":
      return "the gateway does not know it";
    case "DEVICE_INCORRECT":
      return "the gateway took it for another";
    case "NOT_OK":
      return "anything else";
    default:
      return never(error);
  }
}

export function onSendStatusError(error: SendStatusError): string {
  switch (error.code) {
    case "CONTEXT_INCORRECT":
    case "TIMEOUT_OCCURRED":
    case "COMMAND_INCORRECT":
    case "DEVICE_INCORRECT":
    case "UNABLE_TO_CONNECT":
    case "DEVICE_ALREADY_CONNECTED":
    case "HIGHER_PRIORITY_ALREADY_CONNECTED":
    case "MODULE_NOT_SUPPORTED":
    case "DEVICE_TYPE_NOT_SUPPORTED":
    case "NOT_OK":
      return error.message;
    default:
      return never(error);
  }
}

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
      return never(error);
  }
}

export async function incomplete(...[handle, status]: Parameters<typeof exchange>) {
  const outcome = await exchange(handle, status);
  if (outcome.isOk()) return undefined;
  // @ts-expect-error there are other codes than this one
  if (outcome.error.code !== "TIMEOUT_OCCURRED") outcome.error.code satisfies never;
  return outcome.error;
}

function never(error: never): never {
  throw new Error(error);
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
same<Extract<SendStatusError, { code: "TIMEOUT_OCCURRED" }>["returnCode"], -12>();

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
  if (isRefusal(thrown)) return thrown.code;
  return isInternalClientError(thrown) ? thrown.code : undefined;
}

// Without a look at the outcome there is no value.
export function unchecked(...[config]: Parameters<typeof connect>) {
  // @ts-expect-error it may be an Err
  connect(config).value;
  // @ts-expect-error it may be an Err
  connect(config).andThen(getCommand).value;
}
