import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@jest/globals";
import type { GatewayOptions, Servable, TestingGateway } from "../../lib/testing.js";
import { endAll, openGateway } from "../support/opened.js";
import { BUTTON, connectedOf, connectOf } from "./wire.js";

/** A device without any code of the library: bytes in, bytes out, both as hex. */
export interface RawSocket {
  readonly socket: Socket;
  /** What came, one entry for each read that the system gave. */
  readonly chunks: readonly string[];
  readonly send: (hex: string) => void;
  /** The next bytes, once that many have come. */
  readonly read: (count: number) => Promise<string>;
  readonly gets: (hex: string) => Promise<void>;
  readonly exchanges: (sent: string, got: string) => Promise<void>;
  /** What has come and not been read when the time is over. */
  readonly listen: (milliseconds: number) => Promise<string>;
  /** How the connection ended: "end", or the code of the error. */
  readonly ended: Promise<string>;
}

const open = new Set<Socket>();

export async function dial(gateway: { readonly host: string; readonly port: number }, hex = ""): Promise<RawSocket> {
  const socket = connect({ host: gateway.host, port: gateway.port, noDelay: true, allowHalfOpen: true });
  open.add(socket);
  const raw = createRawSocket(socket);
  await once(socket, "connect");
  raw.send(hex);
  return raw;
}

/** Connects a socket, and sends a connect; settles when the gateway has read that. */
export async function dialUntilRead(gateway: TestingGateway, connect: string): Promise<RawSocket> {
  const arrived = gateway.nextConnect();
  const socket = await dial(gateway, connect);
  await arrived;
  return socket;
}

/** Sends a status; settles when the gateway has read that. */
export async function deliver(gateway: TestingGateway, socket: RawSocket, status: string): Promise<void> {
  const arrived = gateway.nextStatus();
  socket.send(status);
  await arrived;
}

/** A connected device; the button, unless told otherwise. */
export async function connectDevice(gateway: TestingGateway, device = BUTTON): Promise<RawSocket> {
  const socket = await dial(gateway);
  await socket.exchanges(connectOf(device), connectedOf(device));
  return socket;
}

/** A gateway, and a device that is connected to it; the button, unless told otherwise. */
export async function openDevice<const Modules extends readonly Servable[]>(
  options?: GatewayOptions<Modules>,
  device?: string,
) {
  const gateway = await openGateway(options);
  return { gateway, socket: await connectDevice(gateway, device) };
}

/** For `afterEach`: ends the sockets, the clients and the gateways. */
export async function hangUpAll(): Promise<void> {
  for (const socket of open) socket.destroy();
  open.clear();
  await endAll();
}

export function createRawSocket(socket: Socket): RawSocket {
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

  const send = (hex: string) => void socket.write(Buffer.from(hex, "hex"));

  async function read(count: number): Promise<string> {
    while (unread.length < 2 * count) await new Promise<void>((resolve) => (onMore = resolve));
    const hex = unread.slice(0, 2 * count);
    unread = unread.slice(2 * count);
    return hex;
  }

  async function gets(hex: string): Promise<void> {
    expect(await read(hex.length / 2)).toBe(hex);
  }

  async function exchanges(sent: string, got: string): Promise<void> {
    send(sent);
    await gets(got);
  }

  async function listen(milliseconds: number): Promise<string> {
    await sleep(milliseconds);
    return read(unread.length / 2);
  }

  return { socket, chunks, send, read, gets, exchanges, listen, ended };
}
