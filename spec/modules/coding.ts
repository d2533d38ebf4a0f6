import type { Codec } from "../../lib/index.js";
import { fromHex, hex } from "../support/bytes.js";

/** For whom the codecs write and read, unless told otherwise. */
export const device = { module: 1000, deviceType: 0, deviceRole: "test", deviceName: "button1", priority: 0 };

export function written<Payload>(codec: Codec<Payload>, payload: Payload, deviceType = 0): string {
  return hex(codec.encode(payload, { ...device, deviceType })._unsafeUnwrap());
}

export function read<Payload>(codec: Codec<Payload>, bytes: string): Payload {
  return codec.decode(fromHex(bytes), device)._unsafeUnwrap();
}

export function unwritable(codec: Codec<never, unknown>, payload: unknown, deviceType = 0) {
  return codec.encode(payload as never, { ...device, deviceType })._unsafeUnwrapErr();
}

export function unreadable(codec: Codec<never, unknown>, bytes: string) {
  return codec.decode(fromHex(bytes), device)._unsafeUnwrapErr();
}
