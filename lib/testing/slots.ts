import { type Connection } from "./connection.js";
import { isSameDevice, slotOf, type Device } from "./device.js";
import { ALREADY_CONNECTED, HIGHER_PRIORITY_ALREADY_CONNECTED } from "./wire.js";
import { type Timers } from "./timers.js";

interface Slot {
  readonly priority: number;
  readonly holder: Connection;
}

/** Which connection stands for which device: one for each module, type and role. */
export interface Slots {
  /** Why the device cannot have its slot; undefined if it can, also if it takes over from one of a lower priority. */
  readonly objection: (device: Device) => number | undefined;
  /** Puts this connection into the slot and returns the one that was there. */
  readonly take: (device: Device, holder: Connection) => Connection | undefined;
  /** The connection of the device, if it has the same priority. */
  readonly holderOf: (device: Device) => Connection | undefined;
  /** Frees the connection's slot, if it still has one, after the delay. */
  readonly release: (holder: Connection, delayMs: number) => void;
  readonly clear: () => void;
}

export function createSlots(timers: Timers): Slots {
  const slots = new Map<string, Slot>();

  function objection(device: Device): number | undefined {
    const taken = slots.get(slotOf(device));
    if (taken === undefined || device.priority < taken.priority) return undefined;
    return device.priority === taken.priority ? ALREADY_CONNECTED : HIGHER_PRIORITY_ALREADY_CONNECTED;
  }

  function take(device: Device, holder: Connection): Connection | undefined {
    const key = slotOf(device);
    const former = slots.get(key)?.holder;
    slots.set(key, { priority: device.priority, holder });
    return former;
  }

  function holderOf(device: Device): Connection | undefined {
    const holder = slots.get(slotOf(device))?.holder;
    return holder?.device !== undefined && isSameDevice(holder.device, device) ? holder : undefined;
  }

  function release(holder: Connection, delayMs: number): void {
    if (delayMs > 0) timers.after(delayMs, () => free(holder));
    else free(holder);
  }

  function free(holder: Connection): void {
    const key = holder.device && slotOf(holder.device);
    if (key !== undefined && slots.get(key)?.holder === holder) slots.delete(key);
  }

  return { objection, take, holderOf, release, clear: () => slots.clear() };
}
