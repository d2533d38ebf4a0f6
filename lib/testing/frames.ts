import type { DeviceConnectResponse_ResponseType } from "../../generated/internal_protocol.js";
import { InternalServer } from "../../generated/internal_protocol.js";
import type { Device } from "./device.js";
import { toEncoded } from "./device.js";

export const HEADER_BYTES = 4;

/**
 * A device to put in a message: as {@link Device}, with priority 0 unless told otherwise.
 *
 * @example
 * const button: NamedDevice = { module: 1000, deviceType: 0, deviceRole: "left", deviceName: "button1" };
 */
export type NamedDevice = Omit<Device, "priority"> & { readonly priority?: number | undefined };

/**
 * A frame: the body's length in bytes as a little-endian uint32, then the body, whatever is in it.
 *
 * @example
 * gateway.send(frame(Uint8Array.of(0xff, 0xff))); // a whole frame, but no message
 */
export function frame(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  new DataView(bytes.buffer).setUint32(0, body.length, true);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

/**
 * The frame of a command for a device.
 *
 * @example
 * // A command for somebody else as the answer to a status:
 * gateway.misbehave("status", { do: "send", bytes: commandFrame({ ...device, deviceRole: "another" }, command) });
 */
export function commandFrame(device: NamedDevice, command: Uint8Array): Uint8Array {
  const value = { device: encodable(device), commandData: command };
  return frame(InternalServer.encode({ MessageType: { $case: "deviceCommand", value } }).finish());
}

/**
 * The frame of a response to a device's connect. Any int32 goes as the response type: 0 OK, 1 already connected,
 * 2 module not supported, 3 device type not supported, 4 higher priority already connected; others are unknown.
 *
 * @example
 * // An OK for somebody else:
 * const bytes = connectResponseFrame({ ...device, priority: 7 }, 0);
 * gateway.misbehave("connect", { do: "send", bytes });
 */
export function connectResponseFrame(device: NamedDevice, responseType: number): Uint8Array {
  const value = {
    responseType: responseType as DeviceConnectResponse_ResponseType,
    device: encodable(device),
  };
  return frame(InternalServer.encode({ MessageType: { $case: "deviceConnectResponse", value } }).finish());
}

function encodable(device: NamedDevice): ReturnType<typeof toEncoded> {
  return toEncoded({ ...device, priority: device.priority ?? 0 });
}
