import { types } from "node:util";

/** Returns what was thrown or emitted as an Error. It may come from another realm, or be anything at all. */
export function toError(given: unknown): Error {
  if (types.isNativeError(given)) return given;
  return new Error("something that is not an Error was thrown or emitted", { cause: given });
}
