import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";

/** The gateway's end of one connection, without any code of the library: frames go in and out as hex. */
export interface Peer {
  /** Counted from 1. */
  readonly number: number;
  readonly socket: Socket;
  /** The next frame as hex; of a long one only the first bytes, though all of it is taken from the socket. */
  readonly readFrame: () => Promise<string>;
  /** Takes that many bytes from the socket, and lets the kernel hold back the rest. */
  readonly skip: (count: number) => Promise<void>;
  /** In one write, which the device has read when this settles. */
  readonly send: (hex: string) => Promise<void>;
  readonly endOfStream: () => void;
  readonly reset: () => void;
}

export interface ScriptedGateway {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly openSockets: number;
  /** Closes the port, and leaves the connections alone. */
  readonly closePort: () => void;
  readonly stop: () => Promise<void>;
}

const KEPT_BYTES = 256;

/** Serves each connection by the script; a script whose device has gone ends there. */
export async function startScriptedGateway(script: (peer: Peer) => Promise<void>): Promise<ScriptedGateway> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    script(createPeer(connections, socket)).catch((error: unknown) => {
      if (error !== GONE) throw error;
    });
  });
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const { address, port } = server.address() as AddressInfo;
  return {
    host: address,
    port,
    get connections() {
      return connections;
    },
    get openSockets() {
      return sockets.size;
    },
    closePort: () => server.close(),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

const GONE = new Error("the device has closed the connection");

function createPeer(number: number, socket: Socket): Peer {
  let onChange = (): void => undefined;
  const over = (): void => {
    // The real gateway does not know half-open connections.
    socket.destroy();
    onChange();
  };
  socket.on("readable", () => onChange());
  socket.on("end", over);
  socket.on("close", over);

  async function read(most: number): Promise<Buffer> {
    for (;;) {
      if (socket.destroyed) throw GONE;
      const bytes = socket.read(Math.min(most, Math.max(1, socket.readableLength))) as Buffer | null;
      if (bytes !== null) return bytes;
      await new Promise<void>((resolve) => (onChange = resolve));
    }
  }

  async function take(count: number): Promise<string> {
    let kept = "";
    for (let left = count; left > 0;) {
      const bytes = await read(left);
      left -= bytes.length;
      if (kept.length < 2 * KEPT_BYTES) kept += bytes.toString("hex", 0, KEPT_BYTES);
    }
    return kept;
  }

  return {
    number,
    socket,
    readFrame: async () => {
      const header = await take(4);
      return header + (await take(Buffer.from(header, "hex").readUInt32LE(0)));
    },
    skip: (count) => take(count).then(() => undefined),
    send: async (hex) => {
      socket.write(Buffer.from(hex, "hex"));
      await sleep(5);
      await turn(); // timers come before reads: what was written may lie unread so far
    },
    endOfStream: () => socket.end(),
    reset: () => socket.resetAndDestroy(),
  };
}
