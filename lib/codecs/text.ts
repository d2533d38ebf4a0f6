import { TextDecoder, TextEncoder } from "node:util";
import { err, ok, type Result } from "neverthrow";
import type { Codec, PayloadProblem } from "./codec.js";

/** Bytes that are not UTF-8 are a problem, not replacement characters. */
export function decodeText(bytes: Uint8Array): Result<string, PayloadProblem> {
  try {
    return ok(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return err({ path: "$", message: "it is not UTF-8 text" });
  }
}

export function encodeText(payload: string): Result<Uint8Array, PayloadProblem> {
  if (typeof payload !== "string") return err({ path: "$", message: "it is not a string" });
  if (!payload.isWellFormed()) return err({ path: "$", message: "it has a lone surrogate, which UTF-8 cannot encode" });
  return ok(new TextEncoder().encode(payload));
}

/**
 * Payloads that are UTF-8 text.
 *
 * @example
 * const display = defineModule({ name: "display", number: 1001, status: text(), command: text() });
 */
export function text(): Codec<string> {
  return { encode: encodeText, decode: decodeText };
}
