import { checkFields, explain, integer, MAX_INT32, MAX_UINT32, MIN_INT32, text } from "./checks.js";
import { isModuleValue, numberOf, type AnyModule } from "./modules.js";

/**
 * Who a device is, as it says in its messages: the protocol's own Device message, with any module number allowed.
 * The gateway identifies a device by its module, type and role; the name is a label.
 *
 * @example
 * const roles = gateway.devices.map((device: Device) => device.deviceRole);
 */
export interface Device {
  /** int32; any number is allowed. */
  readonly module: number;
  /** uint32; each module has its own types. */
  readonly deviceType: number;
  /** What the device is for. */
  readonly deviceRole: string;
  /** A label for people. */
  readonly deviceName: string;
  /** uint32; 0 is the highest priority. */
  readonly priority: number;
}

/**
 * Selects the devices that match in every field given. Left out or empty, it selects all.
 *
 * @example
 * gateway.kick({ module: 1000, deviceRole: "left_button" });
 */
export interface DeviceFilter<Module extends AnyModule = AnyModule> {
  /** A number, or a module by value: then statuses and commands are that module's own types. */
  readonly module?: Module | undefined;
  /** uint32. */
  readonly deviceType?: number | undefined;
  /** As the device says it. */
  readonly deviceRole?: string | undefined;
  /** As the device says it. */
  readonly deviceName?: string | undefined;
  /** uint32; 0 is the highest priority. */
  readonly priority?: number | undefined;
}

const FIELDS = {
  module,
  deviceType: integer(0, MAX_UINT32),
  deviceRole: text,
  deviceName: text,
  priority: integer(0, MAX_UINT32),
};

function module(name: string, value: unknown): void {
  if (typeof value === "number") return integer(MIN_INT32, MAX_INT32)(name, value);
  if (!isModuleValue(value)) throw new TypeError(explain(name, "a module or its number", value));
}

/** Refuses unknown fields: a misspelt one would silently match every device. */
export function checkFilter(name: string, which: unknown): void {
  if (which !== undefined) checkFields(name, which, FIELDS);
}

export function matches(device: Device, which: DeviceFilter | undefined): boolean {
  if (which === undefined) return true;
  return (
    (which.module === undefined || numberOf(which.module) === device.module) &&
    agrees(which.deviceType, device.deviceType) &&
    agrees(which.deviceRole, device.deviceRole) &&
    agrees(which.deviceName, device.deviceName) &&
    agrees(which.priority, device.priority)
  );
}

function agrees<Value>(wanted: Value | undefined, actual: Value): boolean {
  return wanted === undefined || wanted === actual;
}

/** By this the gateway identifies a device. */
export function slotOf(device: Device): string {
  return `${device.module} ${device.deviceType} ${device.deviceRole}`;
}

/** Whether a message's device is the connected one; the gateway ignores the name. */
export function isSameDevice(one: Device, other: Device): boolean {
  return slotOf(one) === slotOf(other) && one.priority === other.priority;
}
