import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Device } from "../index.js";
import { commandFrame, connectResponseFrame } from "../testing.js";

/** The gateway to check, and its time limit. */
export interface Place {
  readonly host: string;
  readonly port: number;
  /** The limit for a connection, and for each answer. */
  readonly answerMs: number;
  readonly signal: AbortSignal;
}

/** A device that sends raw bytes, and so can send what the library never would. */
export interface RawDevice {
  /** Resolves when it is connected, or rejects. */
  readonly connected: Promise<void>;
  /** Sends each piece in its own write, with a pause in between. */
  readonly send: (...pieces: readonly Uint8Array[]) => Promise<void>;
  /** Describes the next message, or the end, in a few words. */
  readonly next: (withinMs?: number) => Promise<string>;
  /** Like `next`, but says "left open" if nothing comes for a while. */
  readonly rest: () => Promise<string>;
  /** Closes its own half of the connection. */
  readonly halfClose: () => void;
  readonly hangUp: () => void;
}

/** By the response type. */
const RESPONSES = [
  "OK",
  "ALREADY_CONNECTED",
  "MODULE_NOT_SUPPORTED",
  "DEVICE_NOT_SUPPORTED",
  "HIGHER_PRIORITY_ALREADY_CONNECTED",
];
const NOTHING = new Uint8Array(0);
const HEADER_BYTES = 4;
/** The field number of the message in a frame: it is the kind of the message. */
const KIND = HEADER_BYTES;
const CONNECT = 0x0a;
/** Longer than the 250 ms after which a gateway closes a connection whose message got no answer. */
const REST_MS = 400;
/** Long enough for the system to send a piece on its own. */
const PIECE_MS = 2;

/** The frame of a status has the same bytes as the frame of a command. */
export function statusFrame(device: Device, status: Uint8Array): Uint8Array {
  return commandFrame(device, status);
}

/** The frame of a connect is that of an empty status, except for the kind. */
export function connectFrame(device: Device): Uint8Array {
  const bytes = statusFrame(device, NOTHING);
  bytes[KIND] = CONNECT;
  return bytes;
}

/** Opens a connection, and sends nothing yet. */
export function openRawDevice({ host, port, answerMs }: Place, device: Device): RawDevice {
  const socket = connect({ host, port, noDelay: true });
  let unread: Uint8Array = NOTHING;
  let isClosed = false;
  let wake = (): void => undefined;
  socket.on("data", (chunk: Uint8Array) => {
    unread = Buffer.concat([unread, chunk]);
    wake();
  });
  for (const event of ["end", "error", "close"]) {
    socket.on(event, () => {
      isClosed = true;
      wake();
    });
  }
  const connected = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error(`no connection within ${answerMs} ms`)), answerMs);
    socket.once("connect", resolve);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed")));
    for (const event of ["connect", "close"]) socket.once(event, () => clearTimeout(timer));
  });

  async function send(...pieces: readonly Uint8Array[]): Promise<void> {
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await sleep(PIECE_MS);
      socket.write(piece);
    }
  }

  async function next(withinMs = answerMs, otherwise = "nothing"): Promise<string> {
    const giveUpAt = performance.now() + withinMs;
    for (;;) {
      const message = takeMessage();
      if (message !== undefined) return nameOf(message, device);
      if (isClosed) return "closed";
      const leftMs = giveUpAt - performance.now();
      if (leftMs <= 0) return otherwise;
      await new Promise<void>((resolve) => {
        // Timers come before reads: where the process stood still, what came in time may lie unread so far.
        const timer = setTimeout(() => setImmediate(resolve), leftMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  function takeMessage(): Uint8Array | undefined {
    if (unread.length < HEADER_BYTES) return undefined;
    const end = HEADER_BYTES + new DataView(unread.buffer, unread.byteOffset).getUint32(0, true);
    if (unread.length < end) return undefined;
    const message = unread.subarray(0, end);
    unread = unread.subarray(end);
    return message;
  }

  return {
    connected,
    send,
    next,
    rest: () => next(REST_MS, "left open"),
    halfClose: () => socket.end(),
    hangUp: () => socket.destroy(),
  };
}

function nameOf(message: Uint8Array, device: Device): string {
  const bytes = Buffer.from(message);
  const response = RESPONSES.find((_, type) => bytes.equals(connectResponseFrame(device, type)));
  if (response !== undefined) return response;
  const empty = commandFrame(device, NOTHING);
  // The lengths before the device depend on the length of the command.
  const isCommand = message[KIND] === empty[KIND] && bytes.includes(Buffer.from(empty.subarray(KIND + 2)));
  return isCommand ? "a command" : "an unknown message";
}
