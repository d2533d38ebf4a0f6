import { bytesField, NOTHING, optionalBytesField, varintField } from "./bytes.js";
import { type Device } from "./device.js";

export const HEADER_BYTES = 4;

export const OK = 0;
export const ALREADY_CONNECTED = 1;
export const MODULE_NOT_SUPPORTED = 2;
export const DEVICE_NOT_SUPPORTED = 3;
export const HIGHER_PRIORITY_ALREADY_CONNECTED = 4;

const CONNECT_RESPONSE = 1;
const COMMAND = 2;

/**
 * A device to put in a message: as {@link Device}, with priority 0 unless told otherwise.
 *
 * @example
 * const button: NamedDevice = { module: 1000, deviceType: 0, deviceRole: "left", deviceName: "button1" };
 */
export type NamedDevice = Omit<Device, "priority"> & { readonly priority?: number | undefined };

/** A device as it came, with the bytes of the fields that the protocol does not know: a gateway sends them back. */
export interface WireDevice {
  readonly device: NamedDevice;
  readonly unknownFields?: Uint8Array;
}

/**
 * A frame: the body's length in bytes as a little-endian uint32, then the body, whatever is in it.
 *
 * @example
 * gateway.send(frame(Uint8Array.of(0xff, 0xff))); // a whole frame, but no message
 */
export function frame(body: Uint8Array): Uint8Array {
  return framed([body]);
}

/**
 * The frame of a command for a device.
 *
 * @example
 * // Another device's command as the answer to a status:
 * gateway.misbehave("status", { do: "send", bytes: commandFrame({ ...device, deviceRole: "another" }, command) });
 */
export function commandFrame(device: NamedDevice, command: Uint8Array): Uint8Array {
  return commandFrameFor({ device }, command);
}

/**
 * The frame of a response to a device's connect. Any int32 goes as the response type: 0 OK, 1 already connected,
 * 2 module not supported, 3 device type not supported, 4 higher priority already connected; others are unknown.
 *
 * @example
 * // An OK for another device:
 * const bytes = connectResponseFrame({ ...device, priority: 7 }, 0);
 * gateway.misbehave("connect", { do: "send", bytes });
 */
export function connectResponseFrame(device: NamedDevice, responseType: number): Uint8Array {
  return connectResponseFrameFor({ device }, responseType);
}

export function commandFrameFor(wireDevice: WireDevice, command: Uint8Array): Uint8Array {
  return framed(bytesField(COMMAND, ...bytesField(1, ...encodeDevice(wireDevice)), ...optionalBytesField(2, command)));
}

export function connectResponseFrameFor(wireDevice: WireDevice, responseType: number): Uint8Array {
  const device = bytesField(2, ...encodeDevice(wireDevice));
  return framed(bytesField(CONNECT_RESPONSE, varintField(1, responseType), ...device));
}

function encodeDevice({ device, unknownFields = NOTHING }: WireDevice): readonly Uint8Array[] {
  return [
    varintField(1, device.module),
    varintField(2, device.deviceType),
    ...optionalBytesField(3, Buffer.from(device.deviceRole)),
    ...optionalBytesField(4, Buffer.from(device.deviceName)),
    varintField(5, device.priority ?? 0),
    unknownFields,
  ];
}

function framed(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((total, part) => total + part.length, 0);
  const bytes = new Uint8Array(HEADER_BYTES + length);
  new DataView(bytes.buffer).setUint32(0, length, true);
  let offset = HEADER_BYTES;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
