import { InternalClient } from "../../generated/internal_protocol.js";
import type { Device } from "./device.js";
import { isWholeMessage } from "./whole-message.js";

/** A message that a device may send. */
export type ClientMessage =
  | { readonly kind: "connect"; readonly device: Device }
  | { readonly kind: "status"; readonly device: Device; readonly status: Uint8Array };

const DEVICE = {};
const NESTED_MESSAGES = { 1: { 1: DEVICE }, 2: { 1: DEVICE } };

/** Undefined if the body is not such a message. */
export function decodeClientMessage(body: Uint8Array): ClientMessage | undefined {
  if (!isWholeMessage(body, NESTED_MESSAGES)) return undefined;
  const message = decode(body);
  const device = message?.value.device;
  if (message === undefined || device === undefined) return undefined;
  if (message.$case === "deviceConnect") return { kind: "connect", device: Object.freeze(device) };
  // Copied, because the decoder's bytes are a window on the chunk that was read, and would keep all of it alive.
  return { kind: "status", device: Object.freeze(device), status: new Uint8Array(message.value.statusData) };
}

function decode(body: Uint8Array): InternalClient["MessageType"] {
  try {
    return InternalClient.decode(body).MessageType;
  } catch {
    return undefined;
  }
}
