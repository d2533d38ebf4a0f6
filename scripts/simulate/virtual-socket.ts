import { EventEmitter } from "node:events";
import type { Random } from "../random.js";
import type { Network } from "./network.js";
import type { Polled, VirtualProcess } from "./virtual-process.js";
import type { WorldClock } from "./world-clock.js";

/** What the library asks of `net.connect`. */
export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  readonly onread: { readonly buffer: Uint8Array; readonly callback: (length: number, buffer: Uint8Array) => boolean };
}

/** A message of the gateway's on its way; `read` looks back from the byte that ends it to the chunk that began it. */
export interface Message {
  readonly bytes: Uint8Array;
  /** The number of the chunk, on its socket, in which the process read the first byte. */
  beganInChunk?: number;
}

interface Piece {
  readonly message: Message;
  readonly from: number;
  readonly to: number;
}

/** What has arrived for the process: the connection itself, or its end. */
interface Arrival {
  readonly at: number;
  readonly report: () => void;
}

/** The gateway's end of a connection. */
export interface Peer {
  receive(bytes: Uint8Array): void;
  clientGone(): void;
}

/** Who watches what passes between the library and its socket. */
export interface SocketObserver {
  written(socket: VirtualSocket, frame: Uint8Array): void;
  /** A chunk is about to be handed over; these messages end in it. */
  read(socket: VirtualSocket, whole: readonly Message[]): void;
  closedByClient(socket: VirtualSocket): void;
  /** The process learns that the other side has ended the connection, or that it cannot be made. */
  endedByPeer(socket: VirtualSocket): void;
  violate(what: string): void;
}

export interface SocketWorld {
  readonly clock: WorldClock;
  readonly random: Random;
  readonly process: VirtualProcess;
  readonly network: Network;
  readonly observer: SocketObserver;
  /** The probability that the kernel does not take a frame at once. */
  readonly slowWrites: number;
  /** The gateway's answer to a connection attempt that reached it; undefined where nothing ever answers. */
  accept(socket: VirtualSocket): Peer | "refused" | undefined;
}

const MAX_FLUSH_MS = 300;

/** A client's socket of Node's, and the kernel below it. */
export class VirtualSocket extends EventEmitter implements Polled {
  destroyed = false;
  writableLength = 0;
  /** How many chunks the process has read. */
  chunks = 0;
  isOpen = false;
  /** The process knows of the other side's end. */
  sawEnd = false;

  private peer: Peer | undefined;
  private readonly pending: Arrival[] = [];
  private inbox: Piece[] = [];
  private inboxSince = Infinity;
  private flushedAt = 0;
  private arrivesAtPeerAt = 0;
  private arrivesHereAt = 0;

  constructor(
    readonly number: number,
    private readonly options: SocketOptions,
    private readonly world: SocketWorld,
  ) {
    super();
    const { clock, network } = world;
    world.process.sockets.add(this);
    clock.at(network.arrivalAfter(0), () => this.knock());
  }

  // ——— what the library calls ———

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** The kernel may take the bytes later: whoever reuses them before that spoils them. */
  write(frame: Uint8Array): boolean {
    const { clock, random, observer, slowWrites } = this.world;
    if (this.destroyed || !this.isOpen) {
      observer.violate("it wrote to a socket that is not open");
      return false;
    }
    if (this.sawEnd) observer.violate("it wrote to a connection that had ended");
    observer.written(this, frame);
    this.writableLength += frame.length;
    const wait = random.chance(slowWrites) ? MAX_FLUSH_MS * random.next() : 0;
    this.flushedAt = Math.max(this.flushedAt, clock.now + wait);
    const original = Uint8Array.from(frame);
    if (this.flushedAt <= clock.now) this.flush(frame, original);
    else clock.at(this.flushedAt, () => this.flush(frame, original));
    return true;
  }

  destroy(): this {
    if (this.destroyed) return this;
    if (!this.sawEnd) this.world.observer.closedByClient(this);
    this.destroyed = true;
    this.inbox = [];
    this.pending.length = 0;
    this.writableLength = 0;
    const { clock, network, process } = this.world;
    clock.at(network.arrivalAfter(this.arrivesAtPeerAt), () => this.peer?.clientGone());
    process.onClosing(() => {
      process.sockets.delete(this);
      this.emit("close");
    });
    return this;
  }

  // ——— what the gateway calls ———

  /** Sends a message, cut into pieces as the network likes. */
  deliver(message: Message): void {
    const { random } = this.world;
    const { length } = message.bytes;
    const cuts = new Set<number>();
    if (random.chance(0.4)) for (let i = random.between(1, 4); i > 0; i--) cuts.add(random.between(1, length));
    let from = 0;
    for (const to of [...cuts].sort((one, other) => one - other).concat(length)) {
      if (to > from) this.deliverPiece({ message, from, to });
      from = to;
    }
  }

  /** Ends the connection after what was sent; a reset may overtake it. */
  finish(isReset: boolean): void {
    const { clock, network, random } = this.world;
    this.arrivesHereAt = network.arrivalAfter(this.arrivesHereAt);
    const loses = isReset && random.chance(0.5);
    clock.at(this.arrivesHereAt, () => {
      if (loses) this.inbox = [];
      this.pending.push({ at: clock.now, report: () => (isReset ? this.fail("ECONNRESET") : this.end()) });
    });
  }

  // ——— what the process polls ———

  /** Since when something that the process has not read lies in the kernel. */
  get unreadSince(): number {
    return Math.min(this.pending[0]?.at ?? Infinity, this.inbox.length > 0 ? this.inboxSince : Infinity);
  }

  get isReady(): boolean {
    return !this.destroyed && (this.pending.length > 0 || (this.isOpen && this.inbox.length > 0));
  }

  poll(): void {
    if (this.isOpen && this.inbox.length > 0) return this.readChunk();
    this.pending.shift()?.report();
  }

  private readChunk(): void {
    const { buffer, callback } = this.options.onread;
    const whole: Message[] = [];
    let filled = 0;
    this.chunks++;
    for (let piece = this.inbox.shift(); piece !== undefined; piece = this.inbox.shift()) {
      const { message, from, to } = piece;
      const end = Math.min(to, from + buffer.length - filled);
      if (end === from) {
        this.inbox.unshift(piece);
        break;
      }
      if (from === 0) message.beganInChunk = this.chunks;
      buffer.set(message.bytes.subarray(from, end), filled);
      filled += end - from;
      if (end === message.bytes.length) whole.push(message);
      else if (end < to) this.inbox.unshift({ message, from: end, to });
    }
    this.world.observer.read(this, whole);
    callback(filled, buffer);
    buffer.fill(0xee, 0, filled); // the next chunk comes in the same memory
  }

  private knock(): void {
    const { clock, network } = this.world;
    if (this.destroyed) return;
    const answer = this.world.accept(this);
    if (answer === undefined) return;
    if (answer !== "refused") this.peer = answer;
    this.arrivesHereAt = network.arrivalAfter(this.arrivesHereAt);
    clock.at(this.arrivesHereAt, () => {
      // The gateway's first words can be in the kernel before the process looks.
      this.pending.unshift({ at: clock.now, report: () => this.open(answer !== "refused") });
    });
  }

  private deliverPiece(piece: Piece): void {
    const { clock, network, random } = this.world;
    const pause = random.chance(0.3) ? 2 * random.next() : 0;
    this.arrivesHereAt = network.arrivalAfter(this.arrivesHereAt) + pause;
    clock.at(this.arrivesHereAt, () => {
      if (this.destroyed) return;
      if (this.inbox.length === 0) this.inboxSince = clock.now;
      this.inbox.push(piece);
    });
  }

  private flush(frame: Uint8Array, original: Uint8Array): void {
    if (this.destroyed) return;
    const { clock, network, observer } = this.world;
    if (Buffer.compare(frame, original) !== 0) observer.violate("a frame was overwritten before the kernel had it");
    this.writableLength -= frame.length;
    this.arrivesAtPeerAt = network.arrivalAfter(this.arrivesAtPeerAt);
    clock.at(this.arrivesAtPeerAt, () => this.peer?.receive(original));
  }

  private open(isAccepted: boolean): void {
    if (!isAccepted) return this.fail("ECONNREFUSED");
    this.isOpen = true;
    this.emit("connect");
  }

  private end(): void {
    this.sawEnd = true;
    this.world.observer.endedByPeer(this);
    this.emit("end");
    this.destroy(); // as Node does where half a connection is not allowed
  }

  private fail(code: string): void {
    this.sawEnd = true;
    this.world.observer.endedByPeer(this);
    this.emit("error", Object.assign(new Error(code), { code }));
    this.destroy();
  }
}
