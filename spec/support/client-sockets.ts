import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { afterAll } from "@jest/globals";

export interface ClientSockets {
  /** How many were made so far. */
  readonly made: number;
  /** How many of them are not gone yet. */
  readonly open: number;
}

/** Counts the sockets that connect from this process, from the call on. The testing gateway's own are not among them. */
export function watchClientSockets(): ClientSockets {
  const sockets = { made: 0, open: 0 };
  const watch = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    sockets.made += 1;
    sockets.open += 1;
    // The property `closed` would not do: it is true while the system still holds the socket.
    socket.once("close", () => (sockets.open -= 1));
  };
  subscribe("net.client.socket", watch);
  // The channel belongs to the process, and so to the specs that follow in it.
  afterAll(() => void unsubscribe("net.client.socket", watch));
  return sockets;
}
