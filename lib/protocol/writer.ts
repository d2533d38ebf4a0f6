// A frame is a header, the body's length as a little-endian uint32, and the body: one protobuf message.
//
// DeviceStatus and DeviceCommand are laid out alike. Each is field 2 of the message around it and holds the device as
// field 1 and the payload as field 2:
//
//     0x12 length(inner)   0x0a length(device) device   0x12 length(payload) payload
//
// Everything before the payload follows from the device's bytes and the payload's length. So a status needs no encoder,
// which would copy its payload more than once, and a command in exactly this form needs no decoder. DeviceConnect is the
// same without a payload, as field 1.

export const HEADER_BYTES = 4;

const CONNECT_FIELD = 0x0a;
const PAYLOAD_FIELD = 0x12;
const TAG_DEVICE = 0x0a;
const TAG_PAYLOAD = 0x12;

const NO_PAYLOAD = new Uint8Array(0);

/** Allocates memory, which need not be zeroed. */
export type Allocate = (bytes: number) => Uint8Array;

const zeroed: Allocate = (bytes) => new Uint8Array(bytes);

/** The frame with which a device introduces itself. */
export function connectFrame(device: Uint8Array): Uint8Array {
  return frame(CONNECT_FIELD, device, NO_PAYLOAD, zeroed);
}

/** A frame that holds a copy of the status. */
export function statusFrame(device: Uint8Array, status: Uint8Array, allocate = zeroed): Uint8Array {
  return frame(PAYLOAD_FIELD, device, status, allocate);
}

/** The length of the body that carries a payload of that length; a connect message carries none. */
export function bodyLength(device: Uint8Array, payloadLength: number): number {
  const inner = deviceFieldLength(device) + payloadFieldLength(payloadLength);
  return 1 + varintLength(inner) + inner;
}

/** The bytes before the payload in a command's body of that length; undefined if no payload makes a body of that length. */
export function prefixOfBody(device: Uint8Array, length: number, allocate = zeroed): Uint8Array | undefined {
  const payloadField = contentLength(length) - deviceFieldLength(device);
  const payloadLength = payloadField === 0 ? 0 : contentLength(payloadField);
  if (Number.isNaN(payloadLength)) return undefined;
  const prefix = allocate(length - payloadLength);
  writePrefix(prefix, 0, PAYLOAD_FIELD, device, payloadLength);
  return prefix;
}

function frame(field: number, device: Uint8Array, payload: Uint8Array, allocate: Allocate): Uint8Array {
  const length = bodyLength(device, payload.length);
  const bytes = allocate(HEADER_BYTES + length);
  writeHeader(bytes, length);
  const payloadAt = writePrefix(bytes, HEADER_BYTES, field, device, payload.length);
  bytes.set(payload, payloadAt);
  return bytes;
}

function writeHeader(target: Uint8Array, length: number): void {
  target[0] = length;
  target[1] = length >>> 8;
  target[2] = length >>> 16;
  target[3] = length >>> 24;
}

/** Returns the offset where the payload belongs. */
function writePrefix(target: Uint8Array, offset: number, field: number, device: Uint8Array, payload: number): number {
  let at = offset;
  target[at++] = field;
  at = writeVarint(target, at, deviceFieldLength(device) + payloadFieldLength(payload));
  target[at++] = TAG_DEVICE;
  at = writeVarint(target, at, device.length);
  target.set(device, at);
  at += device.length;
  if (payload === 0) return at;
  target[at++] = TAG_PAYLOAD;
  return writeVarint(target, at, payload);
}

function deviceFieldLength(device: Uint8Array): number {
  return 1 + varintLength(device.length) + device.length;
}

/** proto3 leaves out a field that holds its default: an empty payload has no field. */
function payloadFieldLength(payloadLength: number): number {
  return payloadLength === 0 ? 0 : 1 + varintLength(payloadLength) + payloadLength;
}

/** The length, above 0, of the content of a length-delimited field that takes `total` bytes; NaN if no field takes that many. */
function contentLength(total: number): number {
  for (const lengthBytes of [varintLength(total), varintLength(total) - 1]) {
    const content = total - 1 - lengthBytes;
    if (content > 0 && varintLength(content) === lengthBytes) return content;
  }
  return NaN;
}

/** The length of a number below 2^32 as a protobuf varint: 1 to 5 bytes. */
function varintLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  return 5;
}

/** Returns the offset after the number. */
function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let rest = value;
  let at = offset;
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}
