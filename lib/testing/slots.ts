import { DeviceConnectResponse_ResponseType as ResponseType } from "../../generated/internal_protocol.js";
import type { Connection } from "./connection.js";
import type { Device } from "./device.js";
import { slotOf } from "./device.js";
import type { Timers } from "./timers.js";

interface Slot {
  readonly priority: number;
  readonly holder: Connection;
}

/** Who is connected as what: one device for each module, type and role. */
export interface Slots {
  /** Why the device cannot have its slot; undefined if it can, also if it takes over from one of a lower priority. */
  readonly objection: (device: Device) => number | undefined;
  /** Gives the slot to this connection and returns whom it was taken from. */
  readonly take: (device: Device, holder: Connection) => Connection | undefined;
  /** Frees the connection's slot, if it still has one, after the delay. */
  readonly release: (holder: Connection, delayMs: number) => void;
  readonly clear: () => void;
}

export function createSlots(timers: Timers): Slots {
  const slots = new Map<string, Slot>();

  function objection(device: Device): number | undefined {
    const taken = slots.get(slotOf(device));
    if (taken === undefined || device.priority < taken.priority) return undefined;
    if (device.priority === taken.priority) return ResponseType.ALREADY_CONNECTED;
    return ResponseType.HIGHER_PRIORITY_ALREADY_CONNECTED;
  }

  function take(device: Device, holder: Connection): Connection | undefined {
    const key = slotOf(device);
    const former = slots.get(key)?.holder;
    slots.set(key, { priority: device.priority, holder });
    return former;
  }

  function release(holder: Connection, delayMs: number): void {
    if (holder.device === undefined) return;
    const key = slotOf(holder.device);
    if (slots.get(key)?.holder !== holder) return;
    const free = (): void => {
      if (slots.get(key)?.holder === holder) slots.delete(key);
    };
    if (delayMs > 0) timers.after(delayMs, free);
    else free();
  }

  return { objection, take, release, clear: () => slots.clear() };
}
