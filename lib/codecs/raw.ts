import { ok } from "neverthrow";
import type { Codec } from "./codec.js";

/** The bytes themselves: what a module has whose definition gives no codec. */
export const raw: Codec<Uint8Array> = { encode: (payload) => ok(payload), decode: (bytes) => ok(bytes) };
