import { varintLength, writeVarint } from "./varint.js";

// DeviceStatus and DeviceCommand are laid out alike. Each is field 2 of the message around it and holds the device
// as field 1 and the payload as field 2:
//
//     0x12 length(inner)   0x0a length(device) device   0x12 length(payload) payload
//
// All that stands before the payload follows from the device's bytes and the payload's length. So a status needs no
// encoder that copies its payload about, and a command in this exact form needs no decoder. DeviceConnect is the same
// without a payload, as field 1.

/** The tag of DeviceConnect in the message around it. */
export const CONNECT_FIELD = 0x0a;
/** The tag of DeviceStatus and DeviceCommand in the message around them. */
export const PAYLOAD_FIELD = 0x12;

const TAG_DEVICE = 0x0a;
const TAG_PAYLOAD = 0x12;

function deviceFieldLength(device: Uint8Array): number {
  return 1 + varintLength(device.length) + device.length;
}

/** proto3 leaves out a field that holds its default: an empty payload has no field. */
function payloadFieldLength(payloadLength: number): number {
  return payloadLength === 0 ? 0 : 1 + varintLength(payloadLength) + payloadLength;
}

/** The length of the body that carries a payload of that length. */
export function bodyLengthFor(device: Uint8Array, payloadLength: number): number {
  const inner = deviceFieldLength(device) + payloadFieldLength(payloadLength);
  return 1 + varintLength(inner) + inner;
}

/** Writes what stands before the payload and returns the offset where the payload belongs. */
export function writePrefix(
  target: Uint8Array,
  offset: number,
  field: number,
  device: Uint8Array,
  payloadLength: number,
): number {
  let at = offset;
  target[at++] = field;
  at = writeVarint(target, at, deviceFieldLength(device) + payloadFieldLength(payloadLength));
  target[at++] = TAG_DEVICE;
  at = writeVarint(target, at, device.length);
  target.set(device, at);
  at += device.length;
  if (payloadLength === 0) return at;
  target[at++] = TAG_PAYLOAD;
  return writeVarint(target, at, payloadLength);
}

/** The length of what a length-delimited field holds when the whole field takes `total` bytes; no length gives some totals. */
function contentLength(total: number): number | undefined {
  for (const lengthBytes of [varintLength(total), varintLength(total) - 1]) {
    const content = total - 1 - lengthBytes;
    if (content >= 0 && varintLength(content) === lengthBytes) return content;
  }
  return undefined;
}

/** What stands before the payload in a body of that length; undefined when no payload gives a body of that length. */
export function prefixOfBody(device: Uint8Array, bodyLength: number): Uint8Array | undefined {
  const inner = contentLength(bodyLength);
  if (inner === undefined) return undefined;
  const payloadField = inner - deviceFieldLength(device);
  if (payloadField < 0) return undefined;
  const payloadLength = payloadField === 0 ? 0 : contentLength(payloadField);
  if (payloadLength === undefined || (payloadLength === 0 && payloadField > 0)) return undefined;
  const prefix = new Uint8Array(bodyLength - payloadLength);
  writePrefix(prefix, 0, PAYLOAD_FIELD, device, payloadLength);
  return prefix;
}
