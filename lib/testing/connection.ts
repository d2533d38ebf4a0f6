import { type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import { type Device } from "./device.js";
import { HEADER_BYTES } from "./wire.js";
import { type Disconnect } from "./journal.js";
import { type State } from "./state.js";

/** How much is stored for a device that does not read; above this, its connection is reset. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

/** One accepted TCP connection and what the gateway knows of the device at its other end. */
export interface Connection {
  /** Counted from 1. */
  readonly number: number;
  readonly socket: Socket;
  phase: "new" | "connected" | "refused" | "gone";
  /**
   * Set by a fault: a `silent` one is read but not answered, a `deaf` one is no longer read, a `vanished` one is neither
   * read nor written to.
   */
  mode: "healthy" | "silent" | "deaf" | "vanished";
  /** As in its connect. */
  device: Device | undefined;
  /** Whether something was sent since `expectAnswer`. */
  isAnswered: boolean;
  onAnswered: () => void;
  /** Until when a message waits for its answer, by `performance.now()`. */
  waitsUntil: number;
  /** The connection, or a message on it, arrived after `terminate`, and is ignored. */
  isIgnored: boolean;
  /** What waits for the end of a reply that is sent in pieces; undefined if there is none. */
  held: { readonly frames: Uint8Array[]; bytes: number } | undefined;
}

export function createConnection(number: number, socket: Socket): Connection {
  return {
    number,
    socket,
    phase: "new",
    mode: "healthy",
    device: undefined,
    isAnswered: false,
    onAnswered: () => undefined,
    waitsUntil: 0,
    isIgnored: false,
    held: undefined,
  };
}

export function isGone(connection: Connection): boolean {
  return connection.phase === "gone";
}

/** In two writes, header and body, as the real gateway does: a device must cope with reading just the header. */
export function sendFrame(state: State, connection: Connection, frame: Uint8Array): void {
  const { held } = connection;
  if (held !== undefined) {
    held.frames.push(frame);
    held.bytes += frame.length;
    if (held.bytes > MAX_UNREAD_BYTES) reset(state, connection);
    return;
  }
  sendBytes(state, connection, frame.subarray(0, HEADER_BYTES));
  sendBytes(state, connection, frame.subarray(HEADER_BYTES));
  // Nothing distinguishes a push from an answer, so a push ends the wait for an answer.
  connection.isAnswered = true;
  connection.onAnswered();
}

export function sendBytes(state: State, connection: Connection, bytes: Uint8Array): void {
  if (isGone(connection) || connection.mode === "vanished" || state.isEnding || bytes.length === 0) return;
  connection.socket.write(bytes);
  if (connection.socket.writableLength > MAX_UNREAD_BYTES) reset(state, connection);
}

/** Sends to the device's current connection: the real gateway routes by device, not by socket. */
export function route(state: State, device: Device, frame: Uint8Array): void {
  const holder = state.slots.holderOf(device);
  if (holder !== undefined && !isGone(holder)) sendFrame(state, holder, frame);
}

export function expectAnswer(state: State, connection: Connection): void {
  connection.isAnswered = false;
  connection.waitsUntil = performance.now() + state.settings.moduleTimeoutMs;
}

/** Resolves with whether something is sent in time. */
export async function answered(state: State, connection: Connection): Promise<boolean> {
  if (!connection.isAnswered) {
    await new Promise<void>((resolve) => {
      const callOff = state.timers.after(Math.max(1, connection.waitsUntil - performance.now()), resolve);
      connection.onAnswered = () => {
        callOff();
        resolve();
      };
    });
  }
  connection.onAnswered = () => undefined;
  connection.waitsUntil = 0;
  return connection.isAnswered;
}

/** Settles when the device has read enough, or the connection is gone. */
export async function drained({ socket }: Connection): Promise<void> {
  if (!socket.writableNeedDrain || socket.destroyed) return;
  await new Promise<void>((resolve) => {
    const over = (): void => {
      for (const event of ["drain", "close"]) socket.off(event, over);
      resolve();
    };
    for (const event of ["drain", "close"]) socket.on(event, over);
  });
}

/** Closes the socket (FIN), after everything written was sent. */
export function close(state: State, connection: Connection, by: Disconnect["by"] = "gateway"): void {
  if (isGone(connection)) return;
  leave(state, connection, by);
  connection.socket.destroySoon();
}

export function reset(state: State, connection: Connection): void {
  if (isGone(connection)) return;
  leave(state, connection, "gateway");
  connection.socket.resetAndDestroy();
}

/** Destroys the socket now, even if not everything has been sent. */
export function drop(state: State, connection: Connection, by: Disconnect["by"]): void {
  leave(state, connection, by);
  connection.socket.destroy();
}

/** The device is no longer connected, although its slot may stay taken for a while. */
function leave(state: State, connection: Connection, by: Disconnect["by"]): void {
  if (isGone(connection)) return;
  const { device, number, phase } = connection;
  connection.phase = "gone";
  if (connection.socket.destroyed) state.connections.delete(connection);
  if (device === undefined) return;
  if (state.slots.holderOf(device) === connection) state.handler.disconnect(device);
  const waitsMs = connection.waitsUntil - performance.now();
  state.slots.release(connection, Math.max(state.settings.cleanUpMs, waitsMs));
  if (phase === "connected") state.journal.tell({ kind: "disconnect", device, connection: number, by });
}
