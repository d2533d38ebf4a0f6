import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import type { Random } from "../random.js";

/** A TCP proxy that does to a connection what bad networks do. */
export interface Proxy {
  readonly port: number;
  /** How many connections it has ended or stalled on its own account. */
  readonly cuts: number;
  readonly stop: () => Promise<void>;
}

/** How often what happens to a connection, or to a chunk on it. */
const STALLS = 0.02;
const CUTS_PER_CHUNK = 0.01;
const SPLITS = 0.3;
const DELAYS = 0.3;
const LONGEST_DELAY_MS = 30;

/** The gateway wants each header whole: of what goes to it, only a body may be split. */
const HEADER_BYTES = 4;

export async function startProxy(targetPort: number, random: Random): Promise<Proxy> {
  const server = createServer({ noDelay: true });
  const links = new Set<Link>();
  let cuts = 0;
  server.on("connection", (client) => {
    const gateway = connect({ host: "127.0.0.1", port: targetPort, noDelay: true });
    const link = new Link(client, gateway, random.fork(), () => (cuts += 1));
    links.add(link);
    client.once("close", () => links.delete(link));
  });
  const port = await listen(server);
  return {
    port,
    get cuts() {
      return cuts;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const link of links) link.end(false);
      }),
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => resolve((server.address() as AddressInfo).port));
  });
}

/** One connection through the proxy: both sockets, which end together. */
class Link {
  private readonly timers = new Set<NodeJS.Timeout>();
  private isOver = false;
  private readonly isStalled: boolean;

  constructor(
    private readonly client: Socket,
    private readonly gateway: Socket,
    private readonly random: Random,
    private readonly onCut: () => void,
  ) {
    this.isStalled = random.chance(STALLS);
    if (this.isStalled) onCut();
    this.join(client, gateway, (chunk) => this.splitToGateway(chunk));
    this.join(gateway, client, (chunk) => this.splitToClient(chunk));
  }

  end(reset: boolean): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const timer of this.timers) clearTimeout(timer);
    for (const socket of [this.client, this.gateway]) {
      // A reset in the middle of an orderly end would leave the handle open for good.
      if (reset && !socket.writableEnded) socket.resetAndDestroy();
      else socket.destroy();
    }
  }

  private join(from: Socket, to: Socket, split: (chunk: Buffer) => readonly Buffer[]): void {
    // What is delayed holds up what comes behind it.
    let after: Promise<void> = Promise.resolve();
    from.on("data", (chunk: Buffer) => {
      after = after.then(() => this.forward(to, split(chunk)));
    });
    from.on("end", () => {
      after = after.then(() => this.end(false));
    });
    from.on("error", () => this.end(true));
    from.on("close", () => this.end(false));
  }

  private async forward(to: Socket, pieces: readonly Buffer[]): Promise<void> {
    if (this.random.chance(DELAYS)) await this.pause(this.random.between(0, LONGEST_DELAY_MS));
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await this.pause(this.random.between(0, 3));
      if (this.isOver || this.isStalled) return;
      if (this.random.chance(CUTS_PER_CHUNK)) return this.cut(to, piece);
      to.write(piece);
    }
  }

  /** Ends the connection, perhaps after a part of the piece. */
  private async cut(to: Socket, piece: Buffer): Promise<void> {
    this.onCut();
    const reset = this.random.chance(0.5);
    if (to === this.client) to.write(piece.subarray(0, this.random.between(0, piece.length)));
    await this.pause(this.random.between(0, 2));
    this.end(reset);
  }

  private splitToClient(chunk: Buffer): readonly Buffer[] {
    const pieces: Buffer[] = [];
    let rest = chunk;
    while (rest.length > 1 && this.random.chance(SPLITS)) {
      const at = this.random.between(1, rest.length - 1);
      pieces.push(rest.subarray(0, at));
      rest = rest.subarray(at);
    }
    return [...pieces, rest];
  }

  private splitToGateway(chunk: Buffer): readonly Buffer[] {
    const isOneFrame = chunk.length > HEADER_BYTES && chunk.readUInt32LE(0) === chunk.length - HEADER_BYTES;
    if (!isOneFrame || !this.random.chance(SPLITS)) return [chunk];
    const at = this.random.between(HEADER_BYTES, chunk.length - 1);
    return [chunk.subarray(0, at), chunk.subarray(at)];
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        resolve();
      }, milliseconds);
      this.timers.add(timer);
    });
  }
}
