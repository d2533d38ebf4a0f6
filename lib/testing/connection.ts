import type { Socket } from "node:net";
import type { Device } from "./device.js";
import { HEADER_BYTES } from "./frames.js";

/** One accepted TCP connection and what the gateway knows of the device at its other end. */
export interface Connection {
  /** Counted from 1. */
  readonly number: number;
  readonly socket: Socket;
  phase: "new" | "connected" | "refused" | "gone";
  /** As it named itself when it connected. */
  device: Device | undefined;
  /** What was received is dealt with one message after the other; this settles after the last one so far. */
  turn: Promise<void>;
  /** When the last status arrived, by `performance.now()`. */
  lastStatusAt: number | undefined;
  /** Statuses that have arrived and not been answered. */
  unanswered: number;
  /** Frames that wait for the end of a reply that is going out in pieces; undefined if none is. */
  held: Uint8Array[] | undefined;
}

export function createConnection(number: number, socket: Socket): Connection {
  return {
    number,
    socket,
    phase: "new",
    device: undefined,
    turn: Promise.resolve(),
    lastStatusAt: undefined,
    unanswered: 0,
    held: undefined,
  };
}

export function isGone(connection: Connection): boolean {
  return connection.phase === "gone";
}

/** In two writes, header and body, as the real gateway does: a device must cope with reading just the header. */
export function sendFrame(connection: Connection, frame: Uint8Array): void {
  if (connection.held !== undefined) {
    connection.held.push(frame);
    return;
  }
  sendBytes(connection, frame.subarray(0, HEADER_BYTES));
  sendBytes(connection, frame.subarray(HEADER_BYTES));
}

export function sendBytes(connection: Connection, bytes: Uint8Array): void {
  if (!isGone(connection) && bytes.length > 0) connection.socket.write(bytes);
}
