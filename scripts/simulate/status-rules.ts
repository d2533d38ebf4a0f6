import { getEventListeners } from "node:events";
import { InternalClient } from "../../generated/internal_protocol.js";
import type { Judge } from "./judge.js";
import type { Command } from "./gateway.js";
import type { VirtualProcess } from "./virtual-process.js";
import type { VirtualSocket } from "./virtual-socket.js";

/** A moment, and how long the process had not run until then. */
export interface Moment {
  readonly at: number;
  readonly frozenMs: number;
  readonly busyMs: number;
  readonly freezes: number;
}

export function momentOf({ frozenMs, busyMs, freezes }: VirtualProcess, at: number): Moment {
  return { at, frozenMs, busyMs, freezes };
}

interface Write extends Moment {
  readonly socket: number;
  /** The last chunk that the process had read on it. */
  readonly chunk: number;
}

export interface Status {
  readonly id: number;
  readonly timeoutMs: number;
  readonly controller: AbortController | undefined;
  readonly writes: Write[];
  /** When its turn came. */
  turn: Moment | undefined;
  isAborted: boolean;
  /** "ok" or a code. */
  outcome: string | undefined;
}

/** What the rules have to know of the device's life. */
export interface Circumstances {
  readonly connectTimeoutMs: number;
  /** The gateway and the network do nothing wrong: only the process freezes. */
  readonly isHarmless: boolean;
  readonly isEnded: () => boolean;
  readonly isDestroying: () => boolean;
  /** When trouble that excuses that code was last seen. */
  readonly lastExcuse: (code: string) => number;
}

const ASK_AGAIN_FOR_MS = 350;
/** Timers count whole milliseconds, and a status goes through several. */
const ROUNDING_MS = 30;

/** How much of a limit a freeze can cost: what is left of the present beat, and 50 ms that count as a timer's lateness. */
const LOST_BY_A_FREEZE_MS = 75;
/** A limit may be counted from just before the listener that a busy process spends some time in. */
const MAX_LISTENER_MS = 52;
const MAX_LATENESS_MS = 10;

const LIVING = ["NOT_OK", "COMMAND_INCORRECT", "DEVICE_INCORRECT"];
const ENDING = [
  "UNABLE_TO_CONNECT",
  "TIMEOUT_OCCURRED",
  "DEVICE_ALREADY_CONNECTED",
  "HIGHER_PRIORITY_ALREADY_CONNECTED",
  "MODULE_NOT_SUPPORTED",
  "DEVICE_TYPE_NOT_SUPPORTED",
];

/** What the library promises of statuses, as far as it can be seen from outside. */
export class StatusRules {
  /** Those that are not settled, in the order of the calls. */
  readonly open: Status[] = [];
  inFlight: Status | undefined;
  private readonly statuses = new Map<number, Status>();
  private lastId = 0;
  private lastFirstWritten = 0;
  private readonly checks: (() => void)[] = [];

  constructor(
    private readonly judge: Judge,
    private readonly process: VirtualProcess,
    private readonly circumstances: Circumstances,
  ) {}

  called(timeoutMs: number, controller: AbortController | undefined): Status {
    const id = ++this.lastId;
    const status: Status = {
      id,
      timeoutMs,
      controller,
      writes: [],
      turn: undefined,
      isAborted: false,
      outcome: undefined,
    };
    this.statuses.set(id, status);
    this.open.push(status);
    this.giveTurn();
    return status;
  }

  aborted(status: Status): void {
    status.isAborted = true;
    this.checks.push(() => {
      if (status.outcome === undefined) this.judge.violate(`status ${status.id} did not settle at once when aborted`);
    });
  }

  destroyed(): void {
    this.checks.push(() => {
      if (this.open.length > 0)
        this.judge.violate(`${this.open.length} statuses did not settle at once when destroyed`);
    });
  }

  written(socket: VirtualSocket, frame: Uint8Array): void {
    const bytes = Buffer.from(frame);
    if (bytes.readUInt32LE() !== bytes.length - 4) this.judge.violate("a frame's header does not fit its body");
    const message = InternalClient.decode(bytes.subarray(4)).MessageType;
    if (message?.$case !== "deviceStatus") return;
    const status = this.statuses.get(Number.parseInt(Buffer.from(message.value.statusData).toString("latin1")));
    if (status === undefined) return this.judge.violate("a status was written that the device never sent");
    this.checkWrite(status, socket);
    this.inFlight = status;
    status.turn ??= this.moment();
    status.writes.push({ ...this.moment(), socket: socket.number, chunk: socket.chunks });
  }

  arrived(text: string): void {
    if (!/^\d+:x*$/.test(text)) this.judge.violate(`a status reached the gateway spoilt: ${text.slice(0, 40)}`);
  }

  completed(status: Status, command: Command, former: Command | undefined): void {
    this.settle(status, "ok");
    const write = status.writes.at(-1);
    if (write === undefined) return this.judge.violate(`status ${status.id} was completed without having been sent`);
    if (command.socket !== write.socket) {
      this.judge.violate(
        `status ${status.id}, sent on ${write.socket}, was completed by a command of connection ${command.socket}`,
      );
    }
    if ((command.beganInChunk ?? 0) <= write.chunk) {
      this.judge.violate(`status ${status.id} was completed by a command that had begun to arrive before it was sent`);
    }
    if (former?.beganInChunk !== undefined && former.beganInChunk > write.chunk) {
      this.judge.violate(`status ${status.id} was not completed by the first command after it`);
    }
  }

  failed(status: Status, code: string): void {
    this.settle(status, code);
    if (!this.excused(status, code)) this.judge.violate(`status ${status.id} failed for no reason: ${code}`);
    if (this.circumstances.isHarmless && !status.isAborted && !this.circumstances.isDestroying()) {
      this.judge.violate(`status ${status.id} failed though the gateway answers: ${code}`);
    }
    if (ENDING.includes(code) && !this.circumstances.isEnded()) this.judge.violate(`the client outlived a ${code}`);
    if (LIVING.includes(code) && this.circumstances.isEnded() && !this.circumstances.isDestroying()) {
      this.judge.violate(`the client did not outlive a ${code}`);
    }
  }

  /** The client gave a status up and closed its connection for no other reason than a limit. */
  gaveUp(socket: VirtualSocket): void {
    const status = this.inFlight;
    const write = status?.writes.at(-1);
    if (status === undefined || write === undefined) return;
    this.checkLimit(write, status.timeoutMs, socket, `status ${status.id}`);
  }

  /** A limit strikes neither early nor late, and not while that which it waits for lies unread. */
  checkLimit(since: Moment, limitMs: number, socket: VirtualSocket, what: string): void {
    const { at, frozenMs, busyMs, freezes } = this.moment();
    const ran = at - since.at - (frozenMs - since.frozenMs);
    const times = freezes - since.freezes;
    const least = limitMs - LOST_BY_A_FREEZE_MS * times - MAX_LISTENER_MS;
    const isEarly = ran + (busyMs - since.busyMs) < least;
    const isLate = ran > limitMs + MAX_LATENESS_MS;
    if (isEarly || isLate) this.judge.violate(`${what} was given up after ${ran.toFixed(1)} of ${limitMs} ms`);
    if (socket.unreadSince <= since.at + limitMs) this.judge.violate(`${what} was given up before it was looked at`);
  }

  /** Is called after each callback of the process. */
  check(): void {
    for (const check of this.checks.splice(0)) check();
    const [first] = this.open;
    if (first?.turn !== undefined && this.isOverdue(first, first.turn)) {
      this.judge.violate(`status ${first.id} is not settled within its bound`);
    }
  }

  /** A new client begins: nothing of the former one is left. */
  reset(): void {
    if (this.open.length > 0) this.judge.violate(`${this.open.length} statuses of a destroyed client are not settled`);
    this.statuses.clear();
    this.inFlight = undefined;
  }

  private checkWrite(status: Status, socket: VirtualSocket): void {
    const { judge, inFlight: former } = this;
    const { id, writes } = status;
    if (status.outcome !== undefined) judge.violate(`status ${id} was sent after it was settled`);
    if (writes.length >= 2) judge.violate(`status ${id} was sent a third time`);
    if (writes.some((write) => write.socket === socket.number))
      judge.violate(`status ${id} was sent twice on one connection`);
    if (writes.length === 0) {
      if (id < this.lastFirstWritten) judge.violate(`status ${id} was sent after a later one`);
      this.lastFirstWritten = id;
    }
    if (former === undefined || former === status) return;
    // Its promise settles after this callback.
    this.checks.push(() => {
      if (former.outcome === undefined) judge.violate(`status ${id} was sent while status ${former.id} was in flight`);
    });
  }

  private settle(status: Status, outcome: string): void {
    const { id, turn, controller } = status;
    if (status.outcome !== undefined) this.judge.violate(`status ${id} settled twice`);
    status.outcome = outcome;
    this.open.splice(this.open.indexOf(status), 1);
    if (turn !== undefined && this.isOverdue(status, turn)) {
      this.judge.violate(`status ${id} settled after its bound: ${outcome}`);
    }
    if (controller !== undefined && getEventListeners(controller.signal, "abort").length > 0) {
      this.judge.violate(`status ${id} left a listener on its signal`);
    }
    this.giveTurn();
  }

  private giveTurn(): void {
    const [first] = this.open;
    if (first !== undefined) first.turn ??= this.moment();
  }

  private isOverdue({ timeoutMs }: Status, turn: Moment): boolean {
    const bound = 2 * timeoutMs + 2 * (this.circumstances.connectTimeoutMs + ASK_AGAIN_FOR_MS) + ROUNDING_MS;
    return this.process.now() - turn.at - (this.process.frozenMs - turn.frozenMs) > bound;
  }

  private excused({ isAborted, turn, writes }: Status, code: string): boolean {
    const { isEnded, lastExcuse } = this.circumstances;
    switch (code) {
      case "NOT_OK":
        return isAborted;
      case "CONTEXT_INCORRECT":
        return isEnded();
      case "TIMEOUT_OCCURRED":
        return writes.length === 2;
      default:
        return turn !== undefined && lastExcuse(code) >= turn.at;
    }
  }

  private moment(): Moment {
    return momentOf(this.process, this.process.now());
  }
}
