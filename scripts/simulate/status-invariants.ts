import { Buffer } from "node:buffer";
import { InternalClient } from "../../generated/internal_protocol.js";
import type { Invariants } from "./invariants.js";
import type { Outcome } from "./library.js";
import type { VirtualSocket } from "./socket.js";
import type { World } from "./world.js";

interface Write {
  readonly at: number;
  readonly socket: VirtualSocket;
  /** The chunk that the socket had read last. */
  readonly chunk: number;
}

/** A status whose caller waits, or waited. */
export interface Status {
  readonly number: number;
  readonly timeoutMs: number;
  readonly writes: Write[];
  readonly controller: AbortController | undefined;
  isAborted: boolean;
  isSettled: boolean;
  /** When its turn came, in the time that the process ran. */
  turnAt: number | undefined;
  reconnections: number;
}

const CODES: ReadonlySet<string> = new Set([
  ...["UNABLE_TO_CONNECT", "DEVICE_ALREADY_CONNECTED", "HIGHER_PRIORITY_ALREADY_CONNECTED", "MODULE_NOT_SUPPORTED"],
  ...["DEVICE_TYPE_NOT_SUPPORTED", "DEVICE_INCORRECT", "NOT_OK", "TIMEOUT_OCCURRED", "COMMAND_INCORRECT"],
  "CONTEXT_INCORRECT",
]);

/** For asking again, the pauses, and timers that count whole milliseconds. */
const SLACK_MS = 100;
const ASKED_AGAIN_MS = 350;
/** How long a command may lie unread in a process that runs. */
const MAX_UNREAD_MS = 10;

/** A status settles once, in time, for a reason that the documentation knows. */
export class StatusInvariants {
  readonly open: Status[] = [];
  settled = 0;
  readonly codes = new Map<string, number>();

  private readonly byNumber = new Map<number, Status>();
  private lastNumber = 0;
  private lastFirstWritten = 0;
  /** Since when the status in flight asks again after ALREADY_CONNECTED, in the time that the process ran. */
  private askedSince: number | undefined;
  private inFlight: Status | undefined;
  private overtaken: Status | undefined;

  constructor(
    private readonly world: World,
    private readonly invariants: Invariants,
  ) {}

  /** Before the call that sends it. */
  sending(timeoutMs: number, controller: AbortController | undefined): Status {
    const number = ++this.lastNumber;
    const turnAt = this.open.length === 0 ? this.world.loop.ranMs : undefined;
    const status = { number, timeoutMs, writes: [], controller, turnAt };
    const open: Status = { ...status, isAborted: false, isSettled: false, reconnections: 0 };
    this.open.push(open);
    this.byNumber.set(number, open);
    return open;
  }

  aborted(status: Status): void {
    status.isAborted = true;
    this.world.journal.note(`status ${status.number} is aborted`);
    status.controller?.abort(new Error("enough"));
  }

  // ——— on the wire ———

  wrote(socket: VirtualSocket, frame: Uint8Array): void {
    const body = Buffer.from(frame.subarray(4));
    if (Buffer.from(frame).readUInt32LE() !== body.length) this.invariants.violated("a header that does not fit");
    const message = InternalClient.decode(body).MessageType;
    if (message?.$case === "deviceStatus") this.wroteStatus(socket, Buffer.from(message.value.statusData));
  }

  reachedGateway(bytes: Buffer): void {
    const text = bytes.toString("latin1");
    if (!/^\d+:x*$/.test(text)) this.invariants.violated(`a status reached the gateway spoilt: ${text.slice(0, 40)}`);
  }

  private wroteStatus(socket: VirtualSocket, bytes: Buffer): void {
    const status = this.byNumber.get(Number(bytes.toString("latin1").split(":")[0]));
    if (status === undefined) return this.invariants.violated("a status was written that is not in flight");
    const { number, writes } = status;
    if (this.inFlight !== status) this.overtaken = this.inFlight;
    this.inFlight = status;
    if (writes.length === 0 && number < this.lastFirstWritten) this.invariants.violated(`${number} was overtaken`);
    if (writes.length === 0) this.lastFirstWritten = number;
    writes.push({ at: this.world.loop.now, socket, chunk: socket.chunks });
    this.world.journal.note(`status ${number} is written to socket ${socket.number}`);
    if (this.invariants.commands.unannounced > 0)
      this.invariants.violated(`${number} went out in the middle of a chunk`);
    if (status.isSettled) this.invariants.violated(`status ${number} was written after it was settled`);
    if (writes.length > 2) this.invariants.violated(`status ${number} was sent ${writes.length} times`);
    if (writes.length === 2 && writes[0]?.socket === socket) {
      this.invariants.violated(`status ${number} was sent twice on one connection`);
    }
  }

  // ——— what diagnostics say ———

  reconnected(): void {
    this.invariants.commands.unannounced = 0; // a status that is sent again may go out at once
    const [status] = this.open;
    if (status === undefined) return;
    status.reconnections += 1;
    if (status.reconnections > 2) this.invariants.violated(`status ${status.number} had a third reconnection`);
  }

  asksAgain(): void {
    this.askedSince ??= this.world.loop.ranMs;
    const asked = this.world.loop.ranMs - this.askedSince;
    if (asked > ASKED_AGAIN_MS + SLACK_MS) this.invariants.violated(`it still asks again after ${asked} ms`);
  }

  gaveUp(reason: string): void {
    this.askedSince = undefined;
    if (reason.startsWith("no command came within") && this.inFlight !== undefined) this.struck(this.inFlight);
  }

  // ——— outcomes ———

  settle(status: Status, outcome: Outcome<Uint8Array>): void {
    const { number, isSettled } = status;
    if (isSettled) this.invariants.violated(`status ${number} settled twice`);
    status.isSettled = true;
    this.askedSince = undefined;
    this.settled += 1;
    this.open.splice(this.open.indexOf(status), 1);
    this.byNumber.delete(number);
    if (this.open[0] !== undefined) this.open[0].turnAt ??= this.world.loop.ranMs;
    this.checkTime(status);
    if ("value" in outcome) return this.completed(status, outcome.value);
    const { code, message } = outcome.error;
    this.count(code);
    this.world.journal.note(`status ${number} failed: ${message.slice(0, 160)}`);
    if (!CODES.has(code)) this.invariants.violated(`status ${number} failed with ${code}`);
    if (code === "NOT_OK" && !status.isAborted) this.invariants.violated(`NOT_OK without an abort: ${message}`);
    if (code === "TIMEOUT_OCCURRED") this.struck(status);
  }

  count(outcome: string): void {
    this.codes.set(outcome, (this.codes.get(outcome) ?? 0) + 1);
  }

  afterStep(): void {
    const { overtaken } = this;
    this.overtaken = undefined;
    if (overtaken?.isSettled === false) this.invariants.violated(`two statuses in flight, one is ${overtaken.number}`);
    for (const status of this.open) {
      if (status.isAborted) this.invariants.violated(`status ${status.number} was aborted and did not settle at once`);
    }
    if (this.open[0] !== undefined) this.checkTime(this.open[0]);
  }

  private completed(status: Status, bytes: Uint8Array): void {
    this.count("ok");
    const command = this.invariants.commands.find(bytes);
    const write = status.writes.at(-1);
    if (command === undefined) return;
    if (write === undefined) return this.invariants.violated(`status ${status.number} was completed unsent`);
    const what = `status ${status.number} was completed by ${command.name}`;
    if (command.socket !== write.socket.number) this.invariants.violated(`${what}: another connection`);
    if (command.beganInChunk <= write.chunk) this.invariants.violated(`${what}, which began to arrive before`);
    if (command.hasCompleted) this.invariants.violated(`${what}, which completed another`);
    command.hasCompleted = true;
  }

  private checkTime({ number, timeoutMs, turnAt }: Status): void {
    if (turnAt === undefined) return;
    const { loop, weather } = this.world;
    const took = loop.ranMs - turnAt;
    const bound = 2 * timeoutMs + 2 * (weather.connectTimeoutMs + ASKED_AGAIN_MS) + SLACK_MS;
    if (took > bound) this.invariants.violated(`status ${number} took ${took.toFixed(1)} ms, above ${bound}`);
  }

  /** Its timeout struck. */
  private struck({ number, timeoutMs, writes }: Status): void {
    const write = writes.at(-1);
    if (write === undefined) return this.invariants.violated(`status ${number} timed out unsent`);
    const unread = write.socket.unreadFor(MAX_UNREAD_MS);
    if (unread !== undefined) this.invariants.violated(`status ${number} timed out while ${unread.name} lay unread`);
    this.invariants.limitStruck(`the timeout of status ${number}`, timeoutMs, write.at);
  }
}
