import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Device as DeviceMessage, type Device_Module } from "../../generated/internal_protocol.js";

/**
 * Who a device is: the protocol's own Device message.
 *
 * @example
 * const { module, deviceRole }: Device = client.device;
 */
export interface Device {
  /** The module's number: 0 to 2^31-1. */
  readonly module: number;
  /** The device's type within its module: 0 to 2^32-1. */
  readonly deviceType: number;
  /** What the device is for; with module and type it identifies the device. May be empty. */
  readonly deviceRole: string;
  /** A label for people. May be empty. */
  readonly deviceName: string;
  /** 0, the highest, to 2^32-1. */
  readonly priority: number;
}

/** How text is encoded as UTF-8 and decoded. Not every runtime has these as globals. */
export interface Utf8 {
  readonly encode: (text: string) => Uint8Array;
  /** Throws for bytes that are not UTF-8: replacing them could make two roles equal. */
  readonly decode: (bytes: Uint8Array) => string;
}

/** For people. */
export function describeDevice({ module, deviceType, deviceRole, deviceName }: Device): string {
  const role = JSON.stringify(deviceRole);
  return `device ${JSON.stringify(deviceName)}, module ${module}, type ${deviceType}, role ${role}`;
}

export function encodeDevice(device: Device, utf8: Utf8): Uint8Array {
  // The generated type lists only the named modules, but the enum is open: any number may be there.
  const message = { ...device, module: device.module as Device_Module };
  return DeviceMessage.encode(message, new BinaryWriter(utf8.encode)).finish();
}

/** The name does not count: the gateway routes by the other four, and a pushed command may carry another name. */
export function isSameDevice(one: Device, other: Device): boolean {
  return (
    one.module === other.module &&
    one.deviceType === other.deviceType &&
    one.deviceRole === other.deviceRole &&
    one.priority === other.priority
  );
}
