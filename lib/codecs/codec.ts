import type { Result } from "neverthrow";
import type { Device } from "../protocol/device.js";

/**
 * Why a payload could not be encoded or decoded.
 *
 * @example
 * const problem: PayloadProblem = { path: "$.stops[0].name", message: "it is empty" };
 */
export interface PayloadProblem {
  /** What is wrong with it. */
  readonly message: string;
  /** Where in the payload, from `$`, its root: `$[0].inNum`. */
  readonly path: string;
  /** The underlying error, if there is one. */
  readonly cause?: unknown;
}

/**
 * How a module's statuses or commands are written as bytes, and read from them. Neither function should throw; if one does, the call
 * returns it as an error.
 *
 * @example
 * const percent: Codec<number> = {
 *   encode: (value) => ok(Uint8Array.of(value)),
 *   decode: (bytes) => (bytes.length === 1 ? ok(bytes[0]!) : err({ path: "$", message: "it is not one byte" })),
 * };
 */
export interface Codec<Input, Output = Input> {
  /** Writes a payload of that device as bytes. */
  readonly encode: (payload: Input, device: Device) => Result<Uint8Array, PayloadProblem>;
  /** Reads a payload of that device from its bytes, which are shared and must not be written to. */
  readonly decode: (bytes: Uint8Array, device: Device) => Result<Output, PayloadProblem>;
  /** Set by {@link optional}: 0 bytes are `undefined`, "nothing new". */
  readonly isOptional?: true | undefined;
}
