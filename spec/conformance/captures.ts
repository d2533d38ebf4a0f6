import type { RefusalCode } from "../../lib/errors/error-types.js";
import type { Device } from "../../lib/protocol/device.js";
import ofGateway from "./gateway-1.4.2.json" with { type: "json" };
import ofModules from "./real-modules.json" with { type: "json" };

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
export const captures = ofGateway as unknown as readonly Capture[];

/** The statuses and the commands that completed them, as hex. */
export function exchangesOf({ outcome }: Capture): { readonly status: string; readonly command: string }[] {
  return outcome.filter((step) => typeof step === "object" && "status" in step);
}

export function refusalOf({ outcome }: Capture): (typeof refusals)[keyof typeof refusals] | undefined {
  const thrown = outcome.find((step) => typeof step === "object" && "exception" in step);
  return thrown === undefined ? undefined : refusals[thrown.exception];
}

/** The chunks of one side, as hex, without the end of the stream. */
export function chunksOf({ chunks }: Capture | Recording, side: "client" | "gateway"): string[] {
  return chunks.filter(([from, bytes]) => from === side && bytes !== "end").map(([, bytes]) => bytes);
}

export function framesOf(recorded: Recording, side: "client" | "gateway"): string[] {
  const frames: string[] = [];
  let rest = Buffer.from(chunksOf(recorded, side).join(""), "hex");
  while (rest.length > 0) {
    const length = 4 + rest.readUInt32LE(0);
    frames.push(rest.toString("hex", 0, length));
    rest = rest.subarray(length);
  }
  return frames;
}

export interface Recording {
  readonly name: string;
  readonly device: Device;
  /** Who, what (hex, or "end" for the end of the stream), and when, in milliseconds. */
  readonly chunks: readonly (readonly [who: string, what: string, at: number])[];
}

/** Traffic between bytes made by hand and the real gateway with its real modules. */
export const recordings = ofModules as unknown as readonly Recording[];
