import { isResult } from "../codecs/result.js";
import type { ErrorWith } from "../errors/error-types.js";
import { InternalClientError } from "../errors/internal-client-error.js";
import type { ErrorReason } from "../errors/reasons.js";
import type { Failure } from "../protocol/failures.js";

// A message: what happened (to which device, where). What to do. What is left.

/** What is left after a failure, for people. */
export type Aftermath =
  | "Nothing is left open."
  | "The client can still be used."
  | "The client can still be used; the next status reconnects."
  | "The client is destroyed; connect again.";

/** The only place where a failure of the connection becomes an error of the library. */
export function errorOf<Code extends Failure["code"]>(
  failure: Failure & { readonly code: Code },
  endpoint: string,
  aftermath: Aftermath,
): ErrorWith<Code> {
  const message = sentences(`${failure.message} (${endpoint}).`, failure.advice, aftermath);
  const details = { reason: failure.reason as ErrorReason<Code>, message };
  const { cause } = failure;
  const error = new InternalClientError(failure.code, cause === undefined ? details : { ...details, cause });
  return error as ErrorWith<Code>; // the compiler does not distribute over a type parameter
}

/** The error of every use of a destroyed client; `reason` is the error that destroyed it, or undefined if its owner did. */
export function destroyedError(endpoint: string, reason: unknown): InternalClientError<"CONTEXT_INCORRECT"> {
  const when = reason === undefined ? "" : " when a status failed";
  const message = `the client was destroyed${when} (${endpoint}). Connect again.`;
  const details = { reason: "destroyed", message } as const;
  return new InternalClientError("CONTEXT_INCORRECT", reason === undefined ? details : { ...details, cause: reason });
}

/** The error for a value that is not a handle. */
export function noHandleError(given: unknown): InternalClientError<"CONTEXT_INCORRECT"> {
  const message = `not a client handle${mistakeIn(given)}`;
  return new InternalClientError("CONTEXT_INCORRECT", { reason: "no-handle", message });
}

const PASS_THE_HANDLE = "Pass the handle that connect() returned";

function mistakeIn(given: unknown): string {
  try {
    if (typeof (given as PromiseLike<unknown> | undefined)?.then === "function") {
      return ": it is a promise. Await it first.";
    }
    if (isResult(given)) return ": it is a Result. Unwrap it first.";
    if (Object(given) !== given) return `: it is ${given === null ? "null" : typeof given}. ${PASS_THE_HANDLE}.`;
  } catch {
    // It throws when it is read, so nothing is known about it.
  }
  return `. ${PASS_THE_HANDLE}, not a copy of it.`;
}

export function abortedError(
  endpoint: string,
  reason: unknown,
  aftermath: Aftermath = "The client can still be used.",
): InternalClientError<"NOT_OK"> {
  return new InternalClientError("NOT_OK", {
    reason: "aborted",
    message: sentences(`the call was aborted by its signal (${endpoint}).`, aftermath),
    cause: reason,
  });
}

export function queueFullError(endpoint: string, waiting: number): InternalClientError<"NOT_OK"> {
  const message = sentences(
    `the queue is full: ${waiting} statuses are waiting (${endpoint}).`,
    "At most 64 statuses, or 64 MiB, may wait: await one before you send the next.",
  );
  return new InternalClientError("NOT_OK", { reason: "queue-full", message });
}

export function tooLargeError(
  endpoint: string,
  field: "status" | "config.device",
  bytes: number,
  most: number,
): InternalClientError<"NOT_OK"> {
  const message = sentences(
    `${field} is too large: its message would be ${bytes} bytes long, above the maxMessageBytes of ${most} (${endpoint}).`,
    field === "status"
      ? "Send a smaller status, or raise maxMessageBytes."
      : "Raise maxMessageBytes, or shorten the role and the name.",
  );
  return new InternalClientError("NOT_OK", { reason: "too-large", message });
}

export function noCommandError(endpoint: string): InternalClientError<"NO_COMMAND_AVAILABLE"> {
  const message = sentences(`no command has arrived yet (${endpoint}).`, "Send a status first.");
  return new InternalClientError("NO_COMMAND_AVAILABLE", { message });
}

function sentences(...all: readonly string[]): string {
  return all.join(" ");
}
