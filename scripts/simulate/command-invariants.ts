import { Buffer } from "node:buffer";
import type { Invariants } from "./invariants.js";
import type { VirtualSocket } from "./socket.js";

/** A command that the gateway sent. */
export class Command {
  readonly bytes: Uint8Array;
  /** The chunk of its socket in which its first byte was read. */
  beganInChunk = 0;
  hasCompleted = false;

  constructor(
    readonly number: number,
    readonly socket: number,
    /** The how manieth of its connection. */
    readonly index: number,
    fill: string,
  ) {
    this.bytes = Buffer.from(`${number}:${fill}`, "latin1");
  }

  get name(): string {
    return `command ${this.number} (${this.index} of connection ${this.socket})`;
  }
}

const MAX_REMEMBERED = 2_000;

/** Every command is delivered once, whole and in order, and none is lost while the client lives. */
export class CommandInvariants {
  delivered = 0;
  /** Whether somebody reads the commands. */
  isRead = false;
  /** Undefined while that is not known. */
  latest: Command | undefined;

  /** Of the chunk that is being read. */
  unannounced = 0;

  private last = 0;
  private readonly known = new Map<number, Command>();
  private expected: Command[] = [];
  /** The connection was closed in the middle of the chunk: what stands behind may be left out. */
  private mayLackRest = false;

  constructor(private readonly invariants: Invariants) {}

  nextNumber(): number {
    return ++this.last;
  }

  sent(command: Command): void {
    this.known.set(command.number, command);
    if (this.known.size > 2 * MAX_REMEMBERED) {
      for (const number of [...this.known.keys()].slice(0, MAX_REMEMBERED)) this.known.delete(number);
    }
  }

  /** The command that these bytes are. */
  find(bytes: Uint8Array): Command | undefined {
    const text = Buffer.from(bytes).toString("latin1");
    const command = this.known.get(Number(text.split(":")[0]));
    if (command !== undefined && Buffer.from(command.bytes).equals(bytes)) return command;
    this.invariants.violated(`a command that the gateway did not send: ${text.slice(0, 40)}`);
    return undefined;
  }

  startReading(): void {
    this.isRead = true;
    this.expected = [];
  }

  chunkBegins(socket: VirtualSocket, began: readonly Command[], whole: readonly Command[]): void {
    for (const command of began) command.beganInChunk = socket.chunks;
    if (this.isRead) this.expected.push(...whole);
    this.unannounced = whole.length;
  }

  chunkEnds(socket: VirtualSocket, whole: readonly Command[]): void {
    this.unannounced = 0;
    if (socket.destroyed) this.mayLackRest = true;
    if (whole.length > 0) this.latest = socket.destroyed ? undefined : whole.at(-1);
  }

  /** On the diagnostics channel. */
  wasAnnounced(): void {
    this.unannounced -= 1;
  }

  wasDelivered(bytes: Uint8Array): void {
    this.delivered += 1;
    const command = this.find(bytes);
    if (command === undefined) return;
    const next = this.expected.shift();
    if (next !== command) {
      this.invariants.violated(
        `${command.name} was delivered where ${next?.name ?? "none"} was due: order, loss or repetition`,
      );
    }
  }

  afterStep(): void {
    const [lost] = this.expected;
    if (lost !== undefined && !this.mayLackRest) this.invariants.violated(`${lost.name} was lost`);
    this.expected = [];
    this.mayLackRest = false;
  }
}
