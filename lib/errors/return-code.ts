const codes = {
  /** Done. */
  OK: 0,
  /** Anything without a code of its own: a wrong argument, an aborted call, a full queue, a gateway that breaks the protocol. */
  NOT_OK: -1,
  /** No function returns this. The C header reserves -1 to -10 for general errors. */
  RESERVED: -10,
  /** The client was destroyed, or the value is not a handle. */
  CONTEXT_INCORRECT: -11,
  /** No command came within `timeoutMs`, neither at first nor after the reconnection. */
  TIMEOUT_OCCURRED: -12,
  /** No command has been received yet. */
  NO_COMMAND_AVAILABLE: -13,
  /** No connection to the gateway could be made, or it closed each one without an answer. */
  UNABLE_TO_CONNECT: -14,
  /** A device with the same module, type, role and priority is connected. */
  DEVICE_ALREADY_CONNECTED: -15,
  /** The gateway does not serve the device's module. */
  MODULE_NOT_SUPPORTED: -16,
  /** The module does not support the device's type. */
  DEVICE_TYPE_NOT_SUPPORTED: -17,
  /** A device with the same module, type and role is connected with a higher priority (a lower number). */
  HIGHER_PRIORITY_ALREADY_CONNECTED: -18,
  /** The gateway sent something other than a command, or the codec cannot read the command. */
  COMMAND_INCORRECT: -19,
  /** The gateway sent a message that names another device, or none. */
  DEVICE_INCORRECT: -20,
} as const;

type Codes = typeof codes;

/**
 * A name of the C header's return codes, for example `"TIMEOUT_OCCURRED"`.
 *
 * @example
 * const name: ReturnCodeName = ReturnCode[-12]; // "TIMEOUT_OCCURRED"
 */
type ReturnCodeName = keyof Codes;

/**
 * A code that an error can have: every return code but `OK` and the placeholder `RESERVED`.
 *
 * @example
 * const counts = new Map<ErrorCode, number>();
 */
export type ErrorCode = Exclude<ReturnCodeName, "OK" | "RESERVED">;

type NumbersOfNames = Codes;
type NamesOfNumbers = { readonly [Name in ReturnCodeName as Codes[Name]]: Name };

function bothWays(): NumbersOfNames & NamesOfNumbers {
  const names = Object.entries(codes).map(([name, number]) => [number, name]);
  return Object.freeze({ ...codes, ...(Object.fromEntries(names) as NamesOfNumbers) });
}

/**
 * The return codes of the C API (`internal_client.h`), by name and by number, like a numeric enum.
 *
 * @example
 * ReturnCode.TIMEOUT_OCCURRED; // -12
 * ReturnCode[-12]; // "TIMEOUT_OCCURRED"
 */
export const ReturnCode = /* @__PURE__ */ bothWays();
