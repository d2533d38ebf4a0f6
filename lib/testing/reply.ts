import { isUint8Array } from "node:util/types";
import type { Connection } from "./connection.js";
import { isGone, sendBytes, sendFrame } from "./connection.js";
import type { Context } from "./context.js";
import type { Device } from "./device.js";
import type { ConnectFault } from "./faults.js";
import { commandFrame } from "./frames.js";
import { close, reset } from "./hang-up.js";

/** Whether carrying out the fault takes the proper reply, or a part of it. */
export function needsReply(fault: ConnectFault | undefined): boolean {
  switch (fault?.do) {
    case "send":
    case "push instead":
      return false;
    case "close":
    case "reset":
    case "stay silent":
      return (fault.afterBytes ?? 0) > 0;
    default:
      return true;
  }
}

/** Sends the proper reply, or spoils it. Settles when the connection is ready for its next message. */
export async function reply(
  context: Context,
  connection: Connection,
  proper: Uint8Array,
  fault: ConnectFault | undefined,
): Promise<void> {
  switch (fault?.do) {
    case undefined:
    case "refuse":
      sendFrame(connection, proper);
      return;
    case "delay":
      return delay(context, connection, proper, fault);
    case "drip":
      return sendPieces(context, connection, piecesOf(proper, fault.bytes ?? 1), fault.everyMs ?? 0);
    case "merge":
      merge(connection, proper, fault);
      return;
    case "send":
      sendBytes(connection, fault.bytes);
      return;
    case "push first":
      sendFrame(connection, pushed(connection, fault.command, fault.deviceName));
      sendFrame(connection, proper);
      return;
    case "push instead":
      sendFrame(connection, pushed(connection, fault.command, fault.deviceName));
      return;
    case "stop reading":
      sendFrame(connection, proper);
      connection.socket.pause();
      return;
    case "stay silent":
      sendBytes(connection, proper.subarray(0, fault.afterBytes ?? 0));
      return forever();
    case "close":
    case "reset":
      return breakOff(context, connection, proper, fault);
  }
}

/** Never settles, so that nothing after it has its turn. */
export function forever(): Promise<never> {
  return new Promise(() => undefined);
}

async function delay(
  context: Context,
  connection: Connection,
  proper: Uint8Array,
  fault: Extract<ConnectFault, { do: "delay" }>,
): Promise<void> {
  const first = proper.subarray(0, fault.afterBytes ?? 0);
  if (first.length > 0) return sendPieces(context, connection, [first, proper.subarray(first.length)], fault.ms);
  await context.timers.pause(fault.ms);
  sendFrame(connection, proper);
}

function* piecesOf(frame: Uint8Array, size: number): Generator<Uint8Array> {
  for (let offset = 0; offset < frame.length; offset += size) yield frame.subarray(offset, offset + size);
}

async function sendPieces(
  context: Context,
  connection: Connection,
  pieces: Iterable<Uint8Array>,
  everyMs: number,
): Promise<void> {
  // A push in the middle of a frame would be a fault that nobody asked for.
  const held: Uint8Array[] = [];
  connection.held = held;
  let isFirst = true;
  for (const piece of pieces) {
    if (!isFirst) await context.timers.pause(everyMs);
    if (isGone(connection)) return;
    sendBytes(connection, piece);
    isFirst = false;
  }
  connection.held = undefined;
  for (const frame of held) sendFrame(connection, frame);
}

function merge(connection: Connection, proper: Uint8Array, fault: Extract<ConnectFault, { do: "merge" }>): void {
  const commands = isUint8Array(fault.with) ? [fault.with] : fault.with;
  const pushes = commands.map((command) => pushed(connection, command, fault.deviceName));
  const frames = fault.order === "before" ? [...pushes, proper] : [proper, ...pushes];
  sendBytes(connection, Buffer.concat(frames));
}

async function breakOff(
  context: Context,
  connection: Connection,
  proper: Uint8Array,
  fault: Extract<ConnectFault, { do: "close" | "reset" }>,
): Promise<void> {
  sendBytes(connection, proper.subarray(0, fault.afterBytes ?? 0));
  if (fault.delayMs !== undefined && fault.delayMs > 0) await context.timers.pause(fault.delayMs);
  // The gateway itself gave up on the status, so nothing of it keeps the device's slot taken.
  connection.unanswered = 0;
  if (fault.do === "close") close(context, connection);
  else reset(context, connection);
}

/** A pushed command names the connected device; only its name may differ. */
export function pushed(connection: Connection, command: Uint8Array, deviceName?: string): Uint8Array {
  // Nothing is pushed before a device has connected, and so has said who it is.
  const device = connection.device as Device;
  return commandFrame({ ...device, deviceName: deviceName ?? device.deviceName }, command);
}
