import { setTimeout as sleep } from "node:timers/promises";

import { heater } from "./heater.js";

/** The hardware: a thermometer and a switch. */
export interface Hardware {
  readCelsius(): number;
  switchHeating(on: boolean): void;
}

export interface DeviceOptions {
  host: string;
  port: number;
  /** Ends the device. */
  signal: AbortSignal;
  /** How often it sends a status. */
  intervalMs?: number;
  /** How long it waits before it connects anew. */
  retryMs?: number;
}

const device = { deviceType: 0, deviceRole: "cabin_heater", deviceName: "heater1" };

/** Sends the temperature and obeys the commands until it is told to end. Without a command, it does not heat. */
export async function runDevice(hardware: Hardware, options: DeviceOptions): Promise<void> {
  const { host, port, signal, intervalMs = 1_000, retryMs = 1_000 } = options;
  const readStatus = () => ({ celsius: hardware.readCelsius() });

  const doWithout = (error: Error) => {
    hardware.switchHeating(false);
    if (!signal.aborted) console.error(error.message);
  };

  while (!signal.aborted) {
    const lived = await heater.withClient({ host, port, device, signal }, async (client) => {
      for await (const outcome of heater.statuses(client, readStatus, { intervalMs, timeoutMs: 2_000, signal })) {
        outcome.match(({ heat }) => hardware.switchHeating(heat), doWithout);
      }
    });
    if (lived.isErr()) doWithout(lived.error);
    await sleep(retryMs, undefined, { signal }).catch(() => undefined);
  }
  hardware.switchHeating(false);
}
