import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A device without any code of the library: bytes in, bytes out, both as hex. */
export interface RawSocket {
  readonly socket: Socket;
  /** What came, one entry for each read that the system gave. */
  readonly chunks: readonly string[];
  /** In one write. */
  readonly send: (hex: string) => void;
  /** The next bytes, once that many have come. */
  readonly read: (count: number) => Promise<string>;
  /** What has come and not been read when the time is over. */
  readonly listen: (milliseconds: number) => Promise<string>;
  /** How the connection ended: "end", or the code of the error. */
  readonly ended: Promise<string>;
}

const open = new Set<Socket>();

export async function dial(gateway: { readonly host: string; readonly port: number }): Promise<RawSocket> {
  const socket = connect({ host: gateway.host, port: gateway.port, noDelay: true, allowHalfOpen: true });
  open.add(socket);
  const raw = createRawSocket(socket);
  await once(socket, "connect");
  return raw;
}

export function hangUpAll(): void {
  for (const socket of open) socket.destroy();
  open.clear();
}

function createRawSocket(socket: Socket): RawSocket {
  const chunks: string[] = [];
  let unread = "";
  let onMore = (): void => undefined;

  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk.toString("hex"));
    unread += chunk.toString("hex");
    onMore();
  });

  const ended = new Promise<string>((resolve) => {
    socket.on("end", () => resolve("end"));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on("close", () => resolve("close"));
  });

  async function read(count: number): Promise<string> {
    while (unread.length < 2 * count) await new Promise<void>((resolve) => (onMore = resolve));
    const hex = unread.slice(0, 2 * count);
    unread = unread.slice(2 * count);
    return hex;
  }

  async function listen(milliseconds: number): Promise<string> {
    await sleep(milliseconds);
    return read(unread.length / 2);
  }

  return { socket, chunks, send: (hex) => socket.write(Buffer.from(hex, "hex")), read, listen, ended };
}
