import { isUint8Array } from "node:util/types";
import { close, isGone, reset, sendBytes, sendFrame, type Connection } from "./connection.js";
import { type Device } from "./device.js";
import { type ConnectFault } from "./faults.js";
import { commandFrame } from "./wire.js";
import { type State } from "./state.js";

/** Whether carrying out the fault takes the proper reply, or a part of it. */
export function needsReply(fault: ConnectFault): boolean {
  switch (fault.do) {
    case "send":
    case "push instead":
    case "vanish":
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
  state: State,
  connection: Connection,
  proper: Uint8Array,
  fault: ConnectFault | undefined,
): Promise<void> {
  switch (fault?.do) {
    case undefined:
    case "refuse":
      sendFrame(state, connection, proper);
      return;
    case "delay":
      return delay(state, connection, proper, fault);
    case "drip":
      return sendPieces(state, connection, piecesOf(proper, fault.bytes ?? 1), fault.everyMs ?? 0);
    case "merge":
      merge(state, connection, proper, fault);
      return;
    case "send":
      sendBytes(state, connection, fault.bytes);
      return;
    case "push first":
      sendFrame(state, connection, pushed(connection, fault.command, fault.deviceName));
      sendFrame(state, connection, proper);
      return;
    case "push instead":
      sendFrame(state, connection, pushed(connection, fault.command, fault.deviceName));
      return;
    case "stop reading":
      sendFrame(state, connection, proper);
      connection.mode = "deaf";
      return;
    case "vanish":
      connection.mode = "vanished";
      return;
    case "stay silent":
      sendBytes(state, connection, proper.subarray(0, fault.afterBytes ?? 0));
      connection.mode = "silent";
      return;
    case "close":
    case "reset":
      return breakOff(state, connection, proper, fault);
  }
}

async function delay(
  state: State,
  connection: Connection,
  proper: Uint8Array,
  fault: Extract<ConnectFault, { do: "delay" }>,
): Promise<void> {
  const first = proper.subarray(0, fault.afterBytes ?? 0);
  if (first.length > 0) return sendPieces(state, connection, [first, proper.subarray(first.length)], fault.ms);
  await state.timers.pause(fault.ms);
  sendFrame(state, connection, proper);
}

function* piecesOf(frame: Uint8Array, size: number): Generator<Uint8Array> {
  for (let offset = 0; offset < frame.length; offset += size) yield frame.subarray(offset, offset + size);
}

async function sendPieces(
  state: State,
  connection: Connection,
  pieces: Iterable<Uint8Array>,
  everyMs: number,
): Promise<void> {
  // A push in the middle of a frame would be another fault than the planned one.
  const held = { frames: [], bytes: 0 };
  connection.held = held;
  let isFirst = true;
  for (const piece of pieces) {
    if (!isFirst) await state.timers.pause(everyMs);
    if (isGone(connection) || connection.socket.destroyed) return;
    sendBytes(state, connection, piece);
    isFirst = false;
  }
  connection.held = undefined;
  for (const frame of held.frames) sendFrame(state, connection, frame);
}

function merge(
  state: State,
  connection: Connection,
  proper: Uint8Array,
  fault: Extract<ConnectFault, { do: "merge" }>,
): void {
  const commands = isUint8Array(fault.with) ? [fault.with] : fault.with;
  const pushes = commands.map((command) => pushed(connection, command, fault.deviceName));
  const frames = fault.order === "before" ? [...pushes, proper] : [proper, ...pushes];
  sendBytes(state, connection, Buffer.concat(frames));
}

async function breakOff(
  state: State,
  connection: Connection,
  proper: Uint8Array,
  fault: Extract<ConnectFault, { do: "close" | "reset" }>,
): Promise<void> {
  sendBytes(state, connection, proper.subarray(0, fault.afterBytes ?? 0));
  if (fault.delayMs !== undefined && fault.delayMs > 0) await state.timers.pause(fault.delayMs);
  if (fault.do === "close") close(state, connection);
  else reset(state, connection);
}

/** A pushed command names the connected device; only its name may differ. */
export function pushed(connection: Connection, command: Uint8Array, deviceName?: string): Uint8Array {
  // Nothing is pushed before a device has connected, and so has said who it is.
  const device = connection.device as Device;
  return commandFrame({ ...device, deviceName: deviceName ?? device.deviceName }, command);
}
