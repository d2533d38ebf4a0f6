import { err, ok, type Result } from "neverthrow";
import { assertStructure } from "../protobuf/strict.js";
import type { Codec, PayloadProblem } from "./codec.js";
import { validate, type Validator } from "./validator.js";

/**
 * What this library uses of the code that ts-proto generates for a message.
 *
 * @example
 * const lightsStatus: ProtobufMessage<LightsStatus> = LightsStatus; // what ts-proto generated
 */
export interface ProtobufMessage<Payload> {
  /** Writes a message; `finish` returns its bytes. */
  encode(message: Payload): { finish(): Uint8Array };
  /** Reads a message; throws when it cannot. */
  decode(bytes: Uint8Array): Payload;
}

/**
 * Payloads that are a protobuf message, written and read by the code that ts-proto generates for it. A validator, if there is one,
 * checks every payload: protobuf itself accepts any number for an enum. See {@link json} for validators.
 *
 * @example
 * const lights = defineModule({ name: "lights", number: 1002, status: protobuf(LightsStatus), command: protobuf(LightsCommand) });
 */
export function protobuf<Payload>(
  message: ProtobufMessage<Payload>,
  validator?: Validator<NoInfer<Payload>>,
): Codec<Payload> {
  return {
    encode: (payload) => validate(payload, validator).andThen((valid) => encode(message, valid)),
    decode: (bytes) => decode(message, bytes).andThen((payload) => validate(payload, validator)),
  };
}

function encode<Payload>(message: ProtobufMessage<Payload>, payload: Payload): Result<Uint8Array, PayloadProblem> {
  try {
    return ok(message.encode(payload).finish());
  } catch (cause) {
    return err({ path: "$", message: "it cannot be written as protobuf", cause });
  }
}

function decode<Payload>(message: ProtobufMessage<Payload>, bytes: Uint8Array): Result<Payload, PayloadProblem> {
  try {
    assertStructure(bytes, {}); // the generated decoder stops at a tag of 0 and ignores the rest
    return ok(message.decode(bytes));
  } catch (cause) {
    return err({ path: "$", message: "it is not protobuf", cause });
  }
}
