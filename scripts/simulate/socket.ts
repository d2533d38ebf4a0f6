import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import { GatewayConnection } from "./gateway.js";
import { Pipe } from "./network.js";
import type { Command } from "./command-invariants.js";
import type { World } from "./world.js";

/** What `connect` of node:net gets. */
export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  readonly onread: { readonly buffer: Uint8Array; callback(length: number, buffer: Uint8Array): boolean };
}

interface Piece {
  readonly bytes: Uint8Array;
  /** The commands whose first and last bytes these are. */
  readonly begins: Command | undefined;
  readonly ends: Command | undefined;
  /** In the time that the process ran. */
  arrivedAt: number;
  read: number;
}

/** The client's end of a simulated connection, as `connect` of node:net returns one. */
export class VirtualSocket extends EventEmitter {
  readonly number: number;
  isRef = true;
  isOpen = false;
  destroyed = false;
  writableLength = 0;
  /** How many chunks were read. */
  chunks = 0;

  private readonly out: Pipe<Uint8Array | "end">;
  private readonly in: Pipe<Piece | "end">;
  private readonly unread: Piece[] = [];
  private hasEnd = false;
  private peer: GatewayConnection | undefined;
  private flushAt = 0;

  constructor(
    private readonly world: World,
    private readonly options: SocketOptions,
  ) {
    super();
    const { random, weather } = world;
    this.number = world.sockets.push(this);
    world.liveSockets.add(this);
    const latencyMs = weather.latencyMs * (0.5 + 1.5 * random.next());
    this.out = new Pipe(world, latencyMs, (item) => this.peer?.received(item));
    this.in = new Pipe(world, latencyMs, (item) => this.arrived(item));
    this.dial(latencyMs);
  }

  ref(): void {
    this.isRef = true;
  }

  unref(): void {
    this.isRef = false;
  }

  setNoDelay(): void {
    // The simulated network decides for itself what it merges.
  }

  setKeepAlive(): void {
    // As above.
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.writableLength = 0;
    this.out.send("end");
    this.world.loop.setImmediate(() => {
      this.world.liveSockets.delete(this);
      this.emit("close");
    });
  }

  /** The kernel may take the bytes later: if they are used again before, something else goes out. */
  write(bytes: Uint8Array): void {
    const { loop, random, weather, invariants } = this.world;
    if (this.destroyed || !this.isOpen) return invariants.violated("a frame was written to a socket that is not open");
    invariants.statuses.wrote(this, bytes);
    this.writableLength += bytes.length;
    const original = Buffer.from(bytes);
    const flush = (): void => {
      if (this.destroyed) return;
      if (!original.equals(bytes)) invariants.violated("a frame was written over before the kernel had it");
      this.writableLength -= bytes.length;
      this.out.send(original);
    };
    this.flushAt = Math.max(this.flushAt, loop.now + (random.chance(weather.slowWrite) ? 300 * random.next() : 0));
    if (this.flushAt <= loop.now) flush();
    else loop.at(this.flushAt, flush);
  }

  /** A whole command that has waited to be read for at least that long while the process ran. */
  unreadFor(milliseconds: number): Command | undefined {
    const latest = this.world.loop.ranMs - milliseconds;
    return this.unread.find(({ ends, arrivedAt }) => ends !== undefined && arrivedAt <= latest)?.ends;
  }

  // ——— what the gateway's end does ———

  deliver(bytes: Uint8Array, command?: Command): void {
    const { random } = this.world;
    const unread = { arrivedAt: 0, read: 0 };
    if (random.chance(0.9)) return this.in.send({ bytes, begins: command, ends: command, ...unread });
    const cut = random.between(1, bytes.length - 1);
    this.in.send({ bytes: bytes.subarray(0, cut), begins: command, ends: undefined, ...unread });
    this.in.send({ bytes: bytes.subarray(cut), begins: undefined, ends: command, ...unread }, 100 * random.next());
  }

  finish(): void {
    this.in.send("end");
  }

  /** A reset overtakes what is underway. */
  reset(): void {
    const { loop } = this.world;
    loop.clientAt(loop.now + 1, () => this.in.isCut || this.fail("ECONNRESET"));
  }

  cut(): void {
    this.in.isCut = true;
    this.out.isCut = true;
  }

  // ——— the network ———

  private dial(latencyMs: number): void {
    const { loop, gateway, network, journal } = this.world;
    const answer = gateway.answerToDial();
    journal.note(`socket ${this.number} connects: ${answer}`);
    const at = Math.max(loop.now, network.partitionedUntil) + latencyMs;
    if (answer === "refused") loop.clientAt(at, () => this.fail("ECONNREFUSED"));
    if (answer === "open") loop.clientAt(at, () => this.open());
  }

  private open(): void {
    if (this.destroyed) return;
    this.isOpen = true;
    this.peer = new GatewayConnection(this.world, this);
    this.emit("connect");
  }

  private fail(code: string): void {
    if (this.destroyed) return;
    this.emit("error", Object.assign(new Error(code), { code }));
    this.destroy();
  }

  private arrived(item: Piece | "end"): void {
    const { loop } = this.world;
    if (item === "end") this.hasEnd = true;
    else this.unread.push(Object.assign(item, { arrivedAt: loop.ranMs }));
    loop.clientAt(loop.now, () => this.read());
  }

  /** One chunk: as many bytes of what has arrived as chance will have it. */
  private read(): void {
    if (this.destroyed) return;
    if (this.unread.length === 0) {
      if (this.hasEnd) this.emit("end");
      return;
    }
    const { loop, random, invariants } = this.world;
    const { onread } = this.options;
    const { buffer } = onread;
    const { length, began, whole } = this.takeInto(buffer);
    this.chunks += 1;
    invariants.commands.chunkBegins(this, began, whole);
    onread.callback(length, buffer);
    buffer.fill(0xee, 0, length); // who still looks at it sees that
    invariants.commands.chunkEnds(this, whole);
    if (this.unread.length > 0 || this.hasEnd) {
      loop.clientAt(loop.now + (random.chance(0.7) ? 0 : 2 * random.next()), () => this.read());
    }
  }

  private takeInto(buffer: Uint8Array): { length: number; began: Command[]; whole: Command[] } {
    const began: Command[] = [];
    const whole: Command[] = [];
    const size = this.nextChunkSize(buffer.length);
    let length = 0;
    for (let piece = this.unread[0]; piece !== undefined && length < size; piece = this.unread[0]) {
      const { bytes, begins, ends, read } = piece;
      const taken = bytes.subarray(read, read + size - length);
      if (read === 0 && begins !== undefined) began.push(begins);
      buffer.set(taken, length);
      length += taken.length;
      piece.read += taken.length;
      if (piece.read < bytes.length) break;
      if (ends !== undefined) whole.push(ends);
      this.unread.shift();
    }
    return { length, began, whole };
  }

  private nextChunkSize(most: number): number {
    const { random } = this.world;
    const all = this.unread.reduce((sum, { bytes, read }) => sum + bytes.length - read, 0);
    if (random.chance(0.6)) return Math.min(most, all);
    return Math.min(most, random.between(1, Math.min(all, random.pick([2, 5, 30, 70_000]))));
  }
}
