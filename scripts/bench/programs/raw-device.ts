/**
 * What Node itself costs, doing nothing but writing ready-made bytes and reading them back: no promise, no timer, no
 * check of what comes.
 */
import { connect, type Socket } from "node:net";

import { connectFrame, connectResponseFrame, host, statusFrame } from "./frames.js";

const readBufferBytes = 64 * 1024;

export interface RawDevice {
  readonly socket: Socket;
  /** Writes the status and calls back when its answer has come whole. */
  readonly exchange: (answered: (command: Uint8Array | undefined) => void) => void;
}

/** Takes the first `length` bytes of a chunk; gives the answer's end on to `answered`. */
type Read = (chunk: Uint8Array, length: number) => void;

/** Makes a `Read` for answers of a known length, whose payload comes last. */
export type Reading = (
  frameBytes: number,
  payloadBytes: number,
  answered: (command: Uint8Array | undefined) => void,
) => Read;

/** Throws the bytes away. */
export const discarding: Reading = (frameBytes, _payloadBytes, answered) => {
  let missing = frameBytes;
  return (_chunk, length) => {
    missing -= length;
    if (missing === 0) {
      missing = frameBytes;
      answered(undefined);
    }
  };
};

/** Copies each answer's payload once, into a fresh array of its own: the least for whoever gives a user bytes to keep. */
export const owning: Reading = (frameBytes, payloadBytes, answered) => {
  const prefixBytes = frameBytes - payloadBytes;
  let command: Uint8Array | undefined;
  let arrived = 0;
  return (chunk, length) => {
    if (arrived === 0 && length === frameBytes) {
      answered(Uint8Array.prototype.slice.call(chunk, prefixBytes, frameBytes));
      return;
    }
    command ??= new Uint8Array(payloadBytes);
    const skipped = Math.min(length, Math.max(0, prefixBytes - arrived));
    command.set(chunk.subarray(skipped, length), Math.max(0, arrived - prefixBytes));
    arrived += length;
    if (arrived === frameBytes) {
      const whole = command;
      command = undefined;
      arrived = 0;
      answered(whole);
    }
  };
};

/** Where the bytes come from: a buffer of the reader's own, or what `data` events bring. */
export type Source = { readonly kind: "onread"; readonly buffer: Uint8Array } | { readonly kind: "data" };

/** One buffer may serve many sockets, as in the library; a floor that is to be compared with another has its own. */
export const onread = (): Source => ({ kind: "onread", buffer: new Uint8Array(readBufferBytes) });

export const dataEvents: Source = { kind: "data" };

/** A socket whose bytes go to `read`. */
export const openSocket = (port: number, source: Source, read: Read): Socket => {
  if (source.kind === "data") {
    return connect({ host, port, noDelay: true }).on("data", (chunk: Buffer) => read(chunk, chunk.length));
  }
  const callback = (length: number, chunk: Uint8Array): boolean => {
    read(chunk, length);
    return true;
  };
  return connect({ host, port, noDelay: true, onread: { buffer: source.buffer, callback } });
};

/** Connects a device: TCP, its connect frame, the gateway's response. */
export const openRawDevice = (
  port: number,
  source: Source,
  reading: Reading,
  payload: Uint8Array,
): Promise<RawDevice> => {
  const status = statusFrame(payload);
  let onAnswer: (command: Uint8Array | undefined) => void = () => undefined;
  return new Promise((resolve, reject) => {
    let read = discarding(connectResponseFrame.length, 0, () => {
      read = reading(status.length, payload.length, (command) => onAnswer(command));
      resolve(device);
    });
    const socket = openSocket(port, source, (chunk, length) => read(chunk, length));
    socket.once("connect", () => socket.write(connectFrame));
    socket.once("error", reject);
    const device: RawDevice = {
      socket,
      exchange: (answered) => {
        onAnswer = answered;
        socket.write(status);
      },
    };
  });
};
