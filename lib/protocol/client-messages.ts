import { HEADER_BYTES, writeHeader } from "./frame.js";
import { bodyLengthFor, CONNECT_FIELD, PAYLOAD_FIELD, writePrefix } from "./payload-layout.js";

const NO_PAYLOAD = new Uint8Array(0);

/** The frame with which a device says who it is. */
export function connectFrame(deviceBytes: Uint8Array): Uint8Array {
  return frame(CONNECT_FIELD, deviceBytes, NO_PAYLOAD, zeroed);
}

/** How many bytes of body the connect frame has: it is laid out as a status without a payload. */
export function connectBodyLength(deviceBytes: Uint8Array): number {
  return bodyLengthFor(deviceBytes, 0);
}

/** How many bytes of body a status takes, to be held against the largest that may be sent. */
export function statusBodyLength(deviceBytes: Uint8Array, status: Uint8Array): number {
  return bodyLengthFor(deviceBytes, status.length);
}

/** Where the memory of a frame comes from; it need not be zeroed. */
export type Allocate = (bytes: number) => Uint8Array;

const zeroed: Allocate = (bytes) => new Uint8Array(bytes);

/** A frame of its own for a status; the status's bytes are copied into it. */
export function statusFrame(deviceBytes: Uint8Array, status: Uint8Array, allocate = zeroed): Uint8Array {
  return frame(PAYLOAD_FIELD, deviceBytes, status, allocate);
}

function frame(field: number, deviceBytes: Uint8Array, payload: Uint8Array, allocate: Allocate): Uint8Array {
  const bodyLength = bodyLengthFor(deviceBytes, payload.length);
  const bytes = allocate(HEADER_BYTES + bodyLength);
  writeHeader(bytes, bodyLength);
  const payloadAt = writePrefix(bytes, HEADER_BYTES, field, deviceBytes, payload.length);
  bytes.set(payload, payloadAt);
  return bytes;
}
