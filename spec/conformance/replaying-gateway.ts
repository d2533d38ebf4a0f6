import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import type { captures } from "./captures.js";
import { fromHex, hex } from "../support/bytes.js";

export interface ReplayingGateway {
  readonly port: number;
  /** Resolves when the whole recording has been played on a connection; rejects at the first byte that differs from it. */
  readonly played: Promise<void>;
  stop(): Promise<void>;
}

/** A server that plays the gateway's part of a recording: each of its chunks goes out once all before it have come or gone. */
export async function replay(chunks: (typeof captures)[number]["chunks"]): Promise<ReplayingGateway> {
  const sockets = new Set<Socket>();
  let settle: (outcome: Promise<void>) => void;
  const played = new Promise<void>((resolve) => (settle = resolve));
  played.catch(() => undefined);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    settle(play(socket, chunks));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    played,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function play(socket: Socket, chunks: (typeof captures)[number]["chunks"]): Promise<void> {
  const incoming = incomingOf(socket);
  for (const [from, bytes] of chunks) {
    if (from === "gateway") {
      if (bytes === "end") socket.end();
      else await new Promise<void>((resolve) => socket.write(fromHex(bytes), () => resolve()));
      continue;
    }
    const came = await incoming.read(bytes === "end" ? 1 : bytes.length / 2);
    if (came !== (bytes === "end" ? "" : bytes))
      throw new Error(`The client sent ${came} where the recording has ${bytes}`);
  }
}

function incomingOf(socket: Socket): { read(count: number): Promise<string> } {
  let unread = Buffer.alloc(0);
  let ended = false;
  let onMore = (): void => undefined;
  socket.on("data", (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk]);
    onMore();
  });
  for (const event of ["end", "close"]) {
    socket.on(event, () => {
      ended = true;
      onMore();
    });
  }
  return {
    /** That many bytes as hex, or fewer at the end of the stream. */
    async read(count) {
      while (unread.length < count && !ended) await new Promise<void>((resolve) => (onMore = resolve));
      const taken = unread.subarray(0, count);
      unread = unread.subarray(taken.length);
      return hex(taken);
    },
  };
}
