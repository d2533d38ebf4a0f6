import type { RefusalCode } from "../../lib/errors/error-types.js";
import type { Device } from "../../lib/protocol/device.js";
import recorded from "./gateway-1.4.2.json" with { type: "json" };

/** What the reference client made of its connection, step by step. */
type Outcome =
  | "connected"
  /** A status and the command that completed it, both as hex. */
  | { readonly status: string; readonly command: string }
  /** The gateway was told something from outside; not on the wire. */
  | { readonly control: string }
  | { readonly exception: keyof typeof refusals };

interface Capture {
  readonly name: string;
  readonly device: Device;
  readonly outcome: readonly Outcome[];
  /** Who sent what, in order: hex, or "end" for the end of the stream. */
  readonly chunks: readonly (readonly ["client" | "gateway", string])[];
}

/** The reference client's exceptions, the codes that they stand for, and the response types on the wire. */
const refusals = {
  AlreadyConnected: { code: "DEVICE_ALREADY_CONNECTED", responseType: 1 },
  ModuleNotSupported: { code: "MODULE_NOT_SUPPORTED", responseType: 2 },
  DeviceNotSupported: { code: "DEVICE_TYPE_NOT_SUPPORTED", responseType: 3 },
  HigherPriorityAlreadyConnected: { code: "HIGHER_PRIORITY_ALREADY_CONNECTED", responseType: 4 },
} as const satisfies Record<string, { code: RefusalCode; responseType: number }>;

/** Traffic between a real module gateway, version 1.4.2, and the reference client, as it was read from the sockets. */
export const captures = recorded as unknown as readonly Capture[];

/** The statuses and the commands that completed them, as hex. */
export function exchangesOf({ outcome }: Capture): { readonly status: string; readonly command: string }[] {
  return outcome.filter((step) => typeof step === "object" && "status" in step);
}

/** How the gateway refused the device, if it did. */
export function refusalOf({ outcome }: Capture): (typeof refusals)[keyof typeof refusals] | undefined {
  const thrown = outcome.find((step) => typeof step === "object" && "exception" in step);
  return thrown === undefined ? undefined : refusals[thrown.exception];
}

/** The chunks of one side, as hex, without the end of the stream. */
export function chunksOf({ chunks }: Capture, side: "client" | "gateway"): string[] {
  return chunks.filter(([from, bytes]) => from === side && bytes !== "end").map(([, bytes]) => bytes);
}
