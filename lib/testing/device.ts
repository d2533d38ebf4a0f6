import type { Device as EncodedDevice } from "../../generated/internal_protocol.js";
import { checkFields, HIGHEST_INT32, HIGHEST_UINT32, integer, LOWEST_INT32, text } from "./checks.js";

/**
 * Who a device is, as it says in its messages: the protocol's own Device message, with any module number allowed.
 * The gateway tells devices apart by module, type and role; the name is a label.
 *
 * @example
 * const roles = gateway.devices.map((device: Device) => device.deviceRole);
 */
export interface Device {
  /** int32; an open enumeration, any number goes. */
  readonly module: number;
  /** uint32; each module numbers its own types. */
  readonly deviceType: number;
  /** What the device is there for. */
  readonly deviceRole: string;
  /** A label for people. */
  readonly deviceName: string;
  /** uint32; 0 is the highest priority. */
  readonly priority: number;
}

/**
 * Which devices are meant: those that agree in every field given. Left out or empty: all.
 *
 * @example
 * gateway.kick({ module: 1000, deviceRole: "left_button" });
 */
export type DeviceFilter = { readonly [Field in keyof Device]?: Device[Field] | undefined };

const FIELDS = {
  module: integer(LOWEST_INT32, HIGHEST_INT32),
  deviceType: integer(0, HIGHEST_UINT32),
  deviceRole: text,
  deviceName: text,
  priority: integer(0, HIGHEST_UINT32),
};

/** A misspelt field would silently match every device, so it is refused. */
export function checkFilter(name: string, which: unknown): void {
  if (which !== undefined) checkFields(name, which, FIELDS);
}

export function matches(device: Device, which: DeviceFilter | undefined): boolean {
  if (which === undefined) return true;
  return (
    agrees(which.module, device.module) &&
    agrees(which.deviceType, device.deviceType) &&
    agrees(which.deviceRole, device.deviceRole) &&
    agrees(which.deviceName, device.deviceName) &&
    agrees(which.priority, device.priority)
  );
}

function agrees<Value>(wanted: Value | undefined, actual: Value): boolean {
  return wanted === undefined || wanted === actual;
}

/** What the gateway tells devices apart by. */
export function slotOf(device: Device): string {
  return `${device.module} ${device.deviceType} ${device.deviceRole}`;
}

/** Whether a message's device is the connected one; the gateway does not look at the name. */
export function isSameDevice(one: Device, other: Device): boolean {
  return (
    one.module === other.module &&
    one.deviceType === other.deviceType &&
    one.deviceRole === other.deviceRole &&
    one.priority === other.priority
  );
}

/** The generated type lists only the modules that the protocol names, though the wire carries any number. */
export function toEncoded(device: Device): EncodedDevice {
  return device as EncodedDevice;
}
