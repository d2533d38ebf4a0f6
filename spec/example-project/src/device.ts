import { every, runDevice } from "fleet-internal-client";
import { heater } from "./heater.js";

/** The hardware: a thermometer and a switch. */
export interface Hardware {
  readCelsius(): number;
  switchHeating(on: boolean): void;
}

export interface HeaterOptions {
  host: string;
  port: number;
  /** Ends the device. */
  signal: AbortSignal;
  /** How often it sends a status. */
  intervalMs?: number;
  /** How long it waits before it connects again. */
  retryMs?: number;
}

const device = { module: heater, deviceType: 0, deviceRole: "cabin_heater", deviceName: "heater1" };

/** Sends the temperature and obeys the commands until it is told to end. Without a command, it does not heat. */
export async function runHeater(hardware: Hardware, options: HeaterOptions): Promise<void> {
  const { host, port, signal, intervalMs = 1_000, retryMs = 1_000 } = options;
  const source = every(intervalMs, () => ({ celsius: hardware.readCelsius() }));
  for await (const command of runDevice({ host, port, device }, source, {
    timeoutMs: 2_000,
    retryDelayMs: () => retryMs,
    signal,
  })) {
    hardware.switchHeating(command.isOk() && command.value.heat);
    if (command.isErr()) console.error(command.error.message);
  }
  hardware.switchHeating(false);
}
