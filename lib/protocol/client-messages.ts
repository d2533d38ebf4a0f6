import { HEADER_BYTES, writeHeader } from "./frame.js";
import { bodyLengthFor, CONNECT_FIELD, PAYLOAD_FIELD, writePrefix } from "./payload-layout.js";

/** The frame with which a device says who it is. */
export function connectFrame(deviceBytes: Uint8Array): Uint8Array {
  const bodyLength = connectBodyLength(deviceBytes);
  const frame = new Uint8Array(HEADER_BYTES + bodyLength);
  writeHeader(frame, bodyLength);
  writePrefix(frame, HEADER_BYTES, CONNECT_FIELD, deviceBytes, 0);
  return frame;
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
  const bodyLength = bodyLengthFor(deviceBytes, status.length);
  const frame = allocate(HEADER_BYTES + bodyLength);
  writeHeader(frame, bodyLength);
  const payloadAt = writePrefix(frame, HEADER_BYTES, PAYLOAD_FIELD, deviceBytes, status.length);
  frame.set(status, payloadAt);
  return frame;
}
