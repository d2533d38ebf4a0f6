/**
 * What Node itself costs, doing nothing but writing ready-made bytes and reading them back: no promise, no timer, no
 * check of what comes. It reads with `onread`, and copies each payload once into an array that its reader may keep.
 */
import { connect, type Socket } from "node:net";
import { connectFrame, connectResponseFrame, host, statusFrame } from "./wire.js";

/** One serves all sockets of a process, as in the library. */
const buffer = new Uint8Array(64 * 1024);

type Received = (payload: Uint8Array) => void;

export interface RawDevice {
  readonly socket: Socket;
  /** Says who gets the payload of each frame that comes from now on. */
  readonly receive: (received: Received) => void;
  /** The same, and writes the status. */
  readonly exchange: (received: Received) => void;
}

/** Reads frames of a known length, whose payload comes last. */
function reader(frameBytes: number, payloadBytes: number, received: Received) {
  const prefixBytes = frameBytes - payloadBytes;
  let payload: Uint8Array | undefined;
  let arrived = 0;
  return (length: number, chunk: Uint8Array): void => {
    for (let at = 0; at < length;) {
      const taken = Math.min(length - at, frameBytes - arrived);
      if (taken === frameBytes) {
        received(Uint8Array.prototype.slice.call(chunk, at + prefixBytes, at + frameBytes));
      } else {
        payload ??= new Uint8Array(payloadBytes);
        const skipped = Math.min(taken, Math.max(0, prefixBytes - arrived));
        payload.set(chunk.subarray(at + skipped, at + taken), Math.max(0, arrived - prefixBytes));
        arrived += taken;
        if (arrived === frameBytes) {
          const whole = payload;
          payload = undefined;
          arrived = 0;
          received(whole);
        }
      }
      at += taken;
    }
  };
}

/** Calls `connected` after TCP, the device's connect and the gateway's response. */
export function openRawDevice(port: number, payload: Uint8Array, connected: (device: RawDevice) => void): void {
  const status = statusFrame(payload);
  let receive: Received = () => undefined;
  let read = reader(connectResponseFrame.length, 0, () => {
    read = reader(status.length, payload.length, (bytes) => receive(bytes));
    connected(device);
  });
  const callback = (length: number, chunk: Uint8Array): boolean => {
    read(length, chunk);
    return true;
  };
  const socket = connect({ host, port, noDelay: true, onread: { buffer, callback } });
  socket.once("connect", () => socket.write(connectFrame));
  const device: RawDevice = {
    socket,
    receive: (received) => (receive = received),
    exchange: (received) => {
      receive = received;
      socket.write(status);
    },
  };
}
