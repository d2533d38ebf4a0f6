import type { ErrorWith, RefusalCode } from "./error-types.js";
import { families, type ErrorFamily } from "./internal-client-error.js";
import { ReturnCode, type ErrorCode } from "./return-code.js";

// The guards look at the value, not at `instanceof`: an error of the package's other module format, of a second
// installed copy or of another realm (jest runs each test file in one) is of another class.

function propertyOf(value: object, name: string): unknown {
  try {
    return (value as Record<string, unknown>)[name];
  } catch {
    return undefined; // what throws when it is read is not our error
  }
}

/**
 * Whether a value is an error of this library, whichever copy of the package made it.
 *
 * @example
 * try {
 *   await sendStatus(client, status);
 * } catch (error) {
 *   if (!isInternalClientError(error)) throw error;
 *   console.warn(error.code);
 * }
 */
export function isInternalClientError(value: unknown): value is ErrorWith {
  if (typeof value !== "object" || value === null) return false;
  if (propertyOf(value, "name") !== "InternalClientError") return false;
  const code = propertyOf(value, "code");
  return isErrorCode(code) && propertyOf(value, "returnCode") === ReturnCode[code];
}

/** `ReturnCode` has more keys: OK, RESERVED, and each number. */
function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(families, code);
}

type CodeOf<Family extends ErrorFamily> = {
  [Code in ErrorCode]: (typeof families)[Code] extends Family ? Code : never;
}[ErrorCode];
type CommunicationCode = CodeOf<"communication"> | "NOT_OK";
type UsageCode = CodeOf<"usage">;

function isOfFamily(value: unknown, family: ErrorFamily): boolean {
  return isInternalClientError(value) && propertyOf(value, "family") === family;
}

/**
 * Whether the gateway refused the device: already connected, module or device type not supported, higher priority connected.
 *
 * @example
 * if (isRefusal(error)) console.error(`check the device's module, type and role: ${error.message}`);
 */
export function isRefusal(value: unknown): value is ErrorWith<RefusalCode> {
  return isOfFamily(value, "connect");
}

/**
 * Whether the connection failed (could not connect, timed out, closed) or the gateway broke the protocol.
 *
 * @example
 * if (isCommunicationError(error)) await retryLater();
 */
export function isCommunicationError(value: unknown): value is ErrorWith<CommunicationCode> {
  return isOfFamily(value, "communication");
}

/**
 * Whether the caller caused the error: a wrong argument or handle, an aborted call, a full queue, no command yet.
 *
 * @example
 * if (isUsageError(error) && error.reason !== "aborted") throw error; // a fault in the program
 */
export function isUsageError(value: unknown): value is ErrorWith<UsageCode> {
  return isOfFamily(value, "usage");
}
