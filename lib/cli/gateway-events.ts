import type { Device, DiagnosticsMessages } from "../index.js";
import { clock, describeDevice, describePlace } from "./describe.js";
import { oneLine, payloadFields, shown } from "./payload.js";

export type RefusalCode = DiagnosticsMessages["refusal"]["code"];

/** What happens at the gateway. */
export type GatewayEvent = { readonly time: Date } & (
  | { readonly event: "listening"; readonly host: string; readonly port: number; readonly serves: string }
  | { readonly event: "connect"; readonly device: Device }
  | { readonly event: "refusal"; readonly device: Device; readonly code: RefusalCode }
  | { readonly event: "status"; readonly device: Device; readonly status: Uint8Array }
  | { readonly event: "disconnect"; readonly device: Device; readonly by: "device" | "gateway" }
  /** A command was pushed, to that many devices. */
  | { readonly event: "push"; readonly devices: number; readonly command: Uint8Array }
);

export function gatewayLineOf(event: GatewayEvent, hex: boolean): string {
  return `${clock(event.time)} ${oneLine(inWords(event, hex))}`;
}

function inWords(event: GatewayEvent, hex: boolean): string {
  switch (event.event) {
    case "listening":
      return `listening on ${describePlace(event.host, event.port)}, serving ${event.serves}`;
    case "connect":
      return `connected: ${describeDevice(event.device)}`;
    case "refusal":
      return `refused: ${describeDevice(event.device)}: ${event.code}`;
    case "status":
      return `status of ${describeDevice(event.device)}: ${shown(event.status, hex)}`;
    case "disconnect":
      return `disconnected by the ${event.by}: ${describeDevice(event.device)}`;
    case "push":
      return `pushed to ${event.devices} ${event.devices === 1 ? "device" : "devices"}: ${shown(event.command, hex)}`;
  }
}

export function gatewayJsonOf(happened: GatewayEvent): string {
  const { time, event } = happened;
  return JSON.stringify({ time, event, ...fieldsOf(happened) });
}

function fieldsOf(event: GatewayEvent): Record<string, unknown> {
  switch (event.event) {
    case "listening":
      return { host: event.host, port: event.port };
    case "connect":
      return { device: event.device };
    case "refusal":
      return { device: event.device, code: event.code };
    case "status":
      return { device: event.device, ...payloadFields(event.status) };
    case "disconnect":
      return { device: event.device, by: event.by };
    case "push":
      return { devices: event.devices, ...payloadFields(event.command) };
  }
}
