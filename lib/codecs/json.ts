import { err, ok, type Result } from "neverthrow";
import { causeText } from "../errors/escape.js";
import type { Codec, PayloadProblem } from "./codec.js";
import { decodeText, encodeText } from "./text.js";
import { validate, type StandardSchema, type Validator } from "./validator.js";

/**
 * Payloads that are JSON text in UTF-8.
 *
 * A validator checks every payload, in both directions: a function that returns whether a value is such a payload, or any Standard
 * Schema (zod, valibot, arktype) whose validation is synchronous. The schema's output is what is written or returned: so a status takes
 * the schema's input type, and a command has its output type. Without a validator, any JSON is taken for a `Payload`.
 *
 * @example
 * const isLamp = (value: unknown): value is { lit_up: boolean } =>
 *   typeof value === "object" && value !== null && "lit_up" in value && typeof value.lit_up === "boolean";
 * const codec = json(isLamp);
 */
export function json<Payload>(isPayload?: (value: unknown) => value is Payload): Codec<Payload>;
export function json<Input, Output = Input>(schema: StandardSchema<Input, Output>): Codec<Input, Output>;
export function json(validator?: Validator<unknown>): Codec<unknown> {
  return {
    encode: (payload) => validate(payload, validator).andThen(stringify).andThen(encodeText),
    decode: (bytes) =>
      decodeText(bytes)
        .andThen(parse)
        .andThen((value) => validate(value, validator)),
  };
}

function stringify(payload: unknown): Result<string, PayloadProblem> {
  try {
    // The types say that it is a string; for a function, a symbol or undefined it is not.
    const written = JSON.stringify(payload) as string | undefined;
    return written === undefined
      ? err({ path: "$", message: "it is undefined, a function or a symbol, which JSON cannot write" })
      : ok(written);
  } catch (cause) {
    return err({ path: "$", message: "JSON.stringify threw", cause });
  }
}

function parse(written: string): Result<unknown, PayloadProblem> {
  try {
    return ok(JSON.parse(written) as unknown);
  } catch (thrown) {
    // The error thrown quotes what came, unescaped.
    return err({ path: "$", message: "it is not JSON", cause: new SyntaxError(causeText(thrown)) });
  }
}
