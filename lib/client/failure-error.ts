import { isResult } from "../codecs/result.js";
import type { ErrorWith } from "../errors/error-types.js";
import { InternalClientError } from "../errors/internal-client-error.js";
import type { ErrorReason } from "../errors/reasons.js";
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
  | "the client lives and reconnects"
  | "the client lives and reconnects with the next status"
  | "the client is destroyed, connect again";

/** The one place where an outcome of the connection becomes an error of the library. */
export function errorOf<Code extends Failure["code"]>(
  failure: Failure & { readonly code: Code },
  endpoint: string,
  aftermath: Aftermath,
): ErrorWith<Code> {
  const message = `${failure.message}; ${endpoint}; ${advice[failure.code]} (${aftermath})`;
  const details = { reason: failure.reason as ErrorReason<Code>, message };
  const { cause } = failure;
  const error = new InternalClientError(failure.code, cause === undefined ? details : { ...details, cause });
  return error as ErrorWith<Code>; // the compiler does not distribute over a type parameter
}

/** For every use of a client that is destroyed; `reason` is what destroyed it, unless its owner did. */
export function destroyedError(endpoint: string, reason: unknown): InternalClientError<"CONTEXT_INCORRECT"> {
  if (reason === undefined) {
    return new InternalClientError("CONTEXT_INCORRECT", {
      reason: "destroyed",
      message: `the client was destroyed; ${endpoint}; connect again`,
    });
  }
  const message = `the client was destroyed when a status failed; ${endpoint}; connect again`;
  return new InternalClientError("CONTEXT_INCORRECT", { reason: "destroyed", message, cause: reason });
}

/** For what was given in place of a handle. */
export function noHandleError(given: unknown): InternalClientError<"CONTEXT_INCORRECT"> {
  const message = `not a client handle: ${mistakeIn(given)}`;
  return new InternalClientError("CONTEXT_INCORRECT", { reason: "no-handle", message });
}

function mistakeIn(given: unknown): string {
  try {
    if (typeof (given as PromiseLike<unknown> | undefined)?.then === "function") {
      return "it is a promise, an await is missing";
    }
    if (isResult(given)) return "it is a Result, unwrap it";
  } catch {
    // It cannot be read, so it is nothing that is known.
  }
  return "pass the handle that connect() returned, not a copy of it";
}

export function abortedError(endpoint: string, reason: unknown): InternalClientError<"NOT_OK"> {
  return new InternalClientError("NOT_OK", {
    reason: "aborted",
    message: `the call was aborted by its signal; ${endpoint}`,
    cause: reason,
  });
}

export function queueFullError(endpoint: string, waiting: number): InternalClientError<"NOT_OK"> {
  const message = `the queue is full (${waiting} statuses are waiting); ${endpoint}; await one before sending the next`;
  return new InternalClientError("NOT_OK", { reason: "queue-full", message });
}

export function tooLargeError(
  endpoint: string,
  field: string,
  bytes: number,
  most: number,
): InternalClientError<"NOT_OK"> {
  const message = `${field} makes a message of ${bytes} bytes, above the maxMessageBytes of ${most}; ${endpoint}`;
  return new InternalClientError("NOT_OK", { reason: "too-large", message });
}

export function noCommandError(endpoint: string): InternalClientError<"NO_COMMAND_AVAILABLE"> {
  const message = `no command has been received yet; ${endpoint}; send a status first`;
  return new InternalClientError("NO_COMMAND_AVAILABLE", { message });
}
