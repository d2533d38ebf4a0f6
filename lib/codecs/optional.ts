import { ok } from "neverthrow";
import type { Codec } from "./codec.js";

/**
 * Payloads that may be empty: 0 bytes are `undefined`, which means "nothing new". Modules that push their commands answer a status like
 * that. Such a command completes its status and nothing else: `exchange` returns `undefined`, and `commands`, `getCommand` and `runDevice`
 * skip it.
 *
 * @example
 * const door = defineModule({ name: "door", number: 1001, status: json<DoorStatus>(), command: optional(json(isDoorCommand)) });
 */
export function optional<Input, Output>(codec: Codec<Input, Output>): Codec<Input | undefined, Output | undefined> {
  return {
    encode: (payload, device) => (payload === undefined ? ok(new Uint8Array(0)) : codec.encode(payload, device)),
    decode: (bytes, device) => (bytes.length === 0 ? ok(undefined) : codec.decode(bytes, device)),
    isOptional: true,
  };
}
