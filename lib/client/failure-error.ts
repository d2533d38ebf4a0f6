import { InternalClientError } from "../errors/internal-client-error.js";
import { describeEndpoint, type ClientHandle } from "./handle.js";
import type { Failure } from "../protocol/failures.js";

const advice: Record<Failure["code"], string> = {
  UNABLE_TO_CONNECT: "check that the gateway runs there and can be reached",
  TIMEOUT_OCCURRED: "check that the gateway and the module answer, or allow more time",
  DEVICE_ALREADY_CONNECTED: "disconnect the other device, or give this one a role of its own",
  HIGHER_PRIORITY_ALREADY_CONNECTED: "wait until the other device has gone, or connect with a lower number",
  MODULE_NOT_SUPPORTED: "check the module's number and which modules the gateway has loaded",
  DEVICE_TYPE_NOT_SUPPORTED: "check the device's type against those that the module knows",
  COMMAND_INCORRECT: "check that a module gateway of Fleet Protocol v2 listens there",
  DEVICE_INCORRECT: "check how the gateway routes to this device",
  NOT_OK: "check that a module gateway of Fleet Protocol v2 listens there",
};

/** What is left when a failure has been told. */
export type Aftermath =
  | "nothing is left open"
  | "the client lives and reconnects with the next status"
  | "the client is destroyed, connect again";

/** The one place where an outcome of the connection becomes an error of the library. */
export function errorOf<Code extends Failure["code"]>(
  failure: Failure & { readonly code: Code },
  endpoint: string,
  aftermath: Aftermath,
): InternalClientError<Code> {
  const message = `${failure.message}${causeOf(failure)}; ${endpoint}; ${advice[failure.code]} (${aftermath})`;
  // Here NOT_OK is never the caller's doing: it is the gateway that broke the protocol.
  const family = failure.code === "NOT_OK" ? "communication" : undefined;
  return new InternalClientError(
    failure.code,
    "cause" in failure ? { message, family, cause: failure.cause } : { message, family },
  );
}

function causeOf({ cause }: Failure): string {
  if (cause === undefined) return "";
  const { message, code } = cause as NodeJS.ErrnoException;
  // Where a host has several addresses, Node's error has no message of its own, only a code.
  return ` (${message === "" ? (code ?? "no reason given") : message})`;
}

/** For every use of a client that is destroyed; `reason` is what destroyed it, unless its owner did. */
export function destroyedError(endpoint: string, reason: unknown): InternalClientError<"CONTEXT_INCORRECT"> {
  if (reason === undefined) {
    return new InternalClientError("CONTEXT_INCORRECT", {
      message: `the client was destroyed; ${endpoint}; connect again`,
    });
  }
  const message = `the client was destroyed when a status failed; ${endpoint}; connect again (see cause)`;
  return new InternalClientError("CONTEXT_INCORRECT", { message, cause: reason });
}

export function noHandleError(): InternalClientError<"CONTEXT_INCORRECT"> {
  const message =
    "what was given is no client handle; use the one that connect gave, itself and not a copy of its fields";
  return new InternalClientError("CONTEXT_INCORRECT", { message });
}

export function abortedError(endpoint: string, reason: unknown): InternalClientError<"NOT_OK"> {
  return new InternalClientError("NOT_OK", {
    message: `the call was aborted by its signal; ${endpoint}`,
    cause: reason,
  });
}

export function queueFullError(endpoint: string, waiting: number): InternalClientError<"NOT_OK"> {
  const message = `${waiting} statuses wait already and no more may; ${endpoint}; await one before sending the next`;
  return new InternalClientError("NOT_OK", { message });
}

export function tooLargeError(
  endpoint: string,
  field: string,
  bytes: number,
  most: number,
): InternalClientError<"NOT_OK"> {
  const message = `${field} makes a message of ${bytes} bytes, above the maxMessageBytes of ${most}; ${endpoint}`;
  return new InternalClientError("NOT_OK", { message });
}

export function noCommandError(endpoint: string): InternalClientError<"NO_COMMAND_AVAILABLE"> {
  const message = `no command has been received yet; ${endpoint}; send a status first`;
  return new InternalClientError("NO_COMMAND_AVAILABLE", { message });
}

export function wrongModuleError(
  name: string,
  number: number,
  handle: ClientHandle,
): InternalClientError<"CONTEXT_INCORRECT"> {
  const message = `the handle is of another module than ${JSON.stringify(name)} (${number}); ${describeEndpoint(handle)}`;
  return new InternalClientError("CONTEXT_INCORRECT", { message });
}
