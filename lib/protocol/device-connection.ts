import type { RefusalCode } from "../errors/error-types.js";
import { encodeDevice, type Device, type Utf8 } from "./device.js";
import { aborted, failureOf, type Failure, type FirstAttempt, type Trouble } from "./failures.js";
import { FrameDecoder } from "./frame-decoder.js";
import { ServerMessageReader } from "./server-messages.js";
import { LEADS_TO, TRANSITIONS, type Action, type Input, type State } from "./transitions.js";
import { StatusQueue, type QueuedStatus, type QueueLimits, type QueueRefusal } from "./status-queue.js";
import { bodyLength, connectFrame, type Allocate } from "./writer.js";

/** What bounds a connection. Times are in milliseconds. */
export interface Limits extends QueueLimits {
  /** For one attempt to connect: the network connection and the connect response. */
  readonly connectTimeoutMs: number;
  /** The pause before a reconnection: without it, the gateway often still considers the former connection alive. */
  readonly reconnectPauseMs: number;
  /** How often and how long the device asks again on ALREADY_CONNECTED: the gateway keeps a device's slot until the 250 ms of its unanswered status are over. */
  readonly askAgainEveryMs: number;
  readonly askAgainForMs: number;
  /** Whether an empty command says "nothing new": it completes its status, and the latest command stays. */
  readonly skipsEmptyCommands: boolean;
}

/** What the connection needs of the runtime. */
export interface Runtime {
  readonly utf8: Utf8;
  readonly allocate?: Allocate;
}

/** What the driver has to carry out. A `Ticket` is how the driver identifies a status. */
export type Effect<Ticket> =
  /** Open a network connection to the gateway; report `opened`, `received` and `closed`. */
  | { readonly kind: "open" }
  /** Hand the frame to the network in one write. `ticket` is the status that it carries; the connect frame carries none. */
  | {
      readonly kind: "write";
      readonly frame: Uint8Array;
      readonly ticket: Ticket | undefined;
      /** Whether a reconnection came before the status: it may have been sent before. */
      readonly afterReconnect: boolean;
    }
  /** Close the network connection at once, and report nothing more about it. */
  | { readonly kind: "close" }
  /** The first connection is made. */
  | { readonly kind: "connected" }
  /** The reconnection is made, for the status of the ticket. */
  | { readonly kind: "reconnected"; readonly ticket: Ticket }
  /** The gateway refused the device; `ticket` is the status for which it reconnects. */
  | {
      readonly kind: "refused";
      readonly code: RefusalCode;
      readonly willAskAgain: boolean;
      readonly ticket: Ticket | undefined;
    }
  /** A command arrived. It completes the status of the ticket; without a ticket, it was pushed. */
  | { readonly kind: "command"; readonly command: Uint8Array; readonly ticket: Ticket | undefined }
  /** A status failed; the client can still be used. */
  | { readonly kind: "failed"; readonly ticket: Ticket; readonly failure: Failure }
  /** The connection is lost or was dropped; the next status reconnects. `ticket` is the status that was in flight. */
  | { readonly kind: "dropped"; readonly failure: Failure; readonly ticket: Ticket | undefined }
  /** A command for another device arrived and was ignored. */
  | { readonly kind: "ignored"; readonly message: string }
  /** The client is destroyed, and these statuses fail. Without a failure, the owner destroyed it. */
  | {
      readonly kind: "ended";
      readonly failure: Failure | undefined;
      readonly inFlight: Ticket | undefined;
      readonly waiting: readonly Ticket[];
    };

const OPENED: Input = { kind: "opened" };
const STATUS: Input = { kind: "status" };
const DESTROY: Input = { kind: "destroy" };

/** Defined in the builds of the specs and the explorer, which throw when a driver lets the impossible happen. */
declare const __DEV__: boolean | undefined;

/**
 * One device's side of the protocol, without a socket, a clock or a promise: bytes, events, statuses and times go in, effects
 * and the next deadline come out. What can happen, and what follows, is in `transitions.ts`.
 *
 * The driver's contract:
 * 1. Call an input method, then `next` until it returns undefined, and carry out each effect before the next call. Inputs
 *    that come up meanwhile may be fed at once: their effects come after those already due.
 * 2. Do not change the chunk passed to `received` until `next` has returned undefined.
 * 3. Report nothing more about a connection after its `close` effect, or after `closed`.
 * 4. When `deadline` has passed, feed what had arrived by then, and call `deadlinePassed` if `deadline` is still in the past.
 * 5. Times are milliseconds of one clock that never runs backwards.
 */
export class DeviceConnection<Ticket extends object> {
  /** The latest command; undefined before the first one and after the end. */
  latestCommand: Uint8Array | undefined;

  private currentState: State = "opening";
  private currentDeadline: number | undefined;

  private readonly queue: StatusQueue<Ticket>;
  private inFlight: QueuedStatus<Ticket> | undefined;
  /** The frame of the last completed status; the network may not have taken all of it yet. */
  private spentFrame: Uint8Array | undefined;

  // The reconnection for the status in flight.
  private firstAttempt: FirstAttempt = "unsent";
  private reconnectUntil = 0;
  private askUntil = Infinity;
  private reconnectFrom = 0;

  private decoder: FrameDecoder | undefined;
  private readonly reader: ServerMessageReader;
  private readonly deviceBytes: Uint8Array;

  // Nearly every input has one effect; only further ones need the list.
  private effect: Effect<Ticket> | undefined;
  private readonly moreEffects: Effect<Ticket>[] = [];

  constructor(
    device: Device,
    private readonly limits: Limits,
    { utf8, allocate }: Runtime,
  ) {
    this.deviceBytes = encodeDevice(device, utf8);
    this.queue = new StatusQueue(this.deviceBytes, limits, allocate);
    this.reader = new ServerMessageReader(device, this.deviceBytes, utf8, allocate);
  }

  get state(): State {
    return this.currentState;
  }

  /** When the driver has to call `deadlinePassed`; undefined while nothing is under way. */
  get deadline(): number | undefined {
    return this.currentDeadline;
  }

  /** The length of the connect frame's body, in bytes. */
  get connectBytes(): number {
    return bodyLength(this.deviceBytes, 0);
  }

  // ——— inputs ———

  /** The first input. */
  connect(now: number): void {
    this.openUntil("opening", now + this.limits.connectTimeoutMs);
  }

  opened(now: number): void {
    this.take(OPENED, now);
  }

  /** The first `length` bytes of `chunk` arrived. */
  received(chunk: Uint8Array, length: number): void {
    this.decoder?.push(chunk, length);
  }

  /** The network connection ended, or could not be made; `cause` is the system's error, if there was one. */
  closed(cause: Error | undefined, now: number): void {
    this.take({ kind: "closed", cause }, now);
  }

  /** Takes a status and copies its bytes, or returns why it cannot. The status is sent when its turn comes. */
  send(status: Uint8Array, timeoutMs: number, ticket: Ticket): QueueRefusal | undefined {
    return this.queue.push(status, timeoutMs, ticket);
  }

  /** The caller of a status aborts it. This does nothing if the status is already settled. */
  abort(ticket: Ticket, cause: unknown, now: number): void {
    if (this.inFlight?.ticket === ticket) this.take({ kind: "abort", cause }, now);
    else if (this.queue.remove(ticket)) this.emit({ kind: "failed", ticket, failure: aborted(cause) });
  }

  destroy(now: number): void {
    this.take(DESTROY, now);
  }

  /** `obstacle` is what has kept the connection from opening so far, if known. */
  deadlinePassed(now: number, obstacle?: Error): void {
    this.take({ kind: "deadline", cause: obstacle }, now);
  }

  /** The process did not run for that time, which is not the gateway's fault: every limit is extended by it. */
  postpone(milliseconds: number): void {
    if (this.currentDeadline !== undefined) this.currentDeadline += milliseconds;
    this.reconnectUntil += milliseconds;
    this.askUntil += milliseconds;
  }

  /** The network has taken all that was written. */
  flushed(): void {
    if (this.spentFrame !== undefined) this.queue.recycle(this.spentFrame);
    this.spentFrame = undefined;
  }

  // ——— outputs ———

  /**
   * Returns the next effect; undefined when there is nothing more to do.
   *
   * Effects that are due come first, then the rest of the chunk, then the next status. So a status is never sent in the middle
   * of a chunk, whose later commands arrived before it.
   */
  next(now: number): Effect<Ticket> | undefined {
    while (this.effect === undefined) {
      const message = this.nextMessage();
      if (message !== undefined) this.take(message, now);
      else if (!this.startNextStatus(now)) return undefined;
    }
    const { effect } = this;
    // An abort may come while a listener of diagnostics is busy: the pause begins when the connection is closed after that.
    if (effect.kind === "close") this.startPause(now);
    this.effect = this.moreEffects.length > 0 ? this.moreEffects.shift() : undefined;
    return effect;
  }

  private nextMessage(): Input | undefined {
    if (this.decoder === undefined) return undefined;
    try {
      const body = this.decoder.next();
      if (body === undefined) return undefined;
      if (body.kind === "broken") return unreadable(body.detail);
      const message = this.reader.read(body);
      if (message.kind === "command" && body.beganBeforeMark) return { kind: "early", command: message.command };
      return message;
    } catch (error) {
      return unreadable((error as Error).message); // for example, no memory for what has arrived
    }
  }

  private startNextStatus(now: number): boolean {
    if (this.queue.isEmpty || (this.currentState !== "idle" && this.currentState !== "down")) return false;
    this.inFlight = this.queue.shift();
    this.take(STATUS, now);
    return true;
  }

  // ——— transitions ———

  private take(input: Input, now: number): void {
    const before = this.currentState;
    const action = TRANSITIONS[input.kind][before];
    this.perform(action, input, now);
    if (typeof __DEV__ !== "undefined" && __DEV__) this.assertPossible(before, action, input);
  }

  private perform(action: Action, input: Input, now: number): void {
    switch (action) {
      case "introduce":
        return this.introduce();
      case "ready":
        return this.ready();
      case "resume":
        return this.resume(now);
      case "send":
        return this.writeStatus("awaiting", false, now);
      case "push":
        return this.deliver(input as InputOf<"command">, undefined);
      case "complete":
        return this.complete(input as InputOf<"command">);
      case "ignore":
        return this.emit({ kind: "ignored", message: (input as InputOf<"foreign">).detail });
      case "drop":
        return this.drop(input as Trouble, now);
      case "fail":
        return this.fail(input as Trouble, now);
      case "reconnect":
        return this.reconnect(input as Trouble, now);
      case "backOff":
        return this.backOff("unsent", now);
      case "open":
        return this.reopen(now);
      case "askAgain":
        return this.askAgain(input as InputOf<"refused">, now);
      case "end":
        return this.end(input as Trouble | InputOf<"destroy">);
      case "nothing":
      case "impossible":
        return;
    }
  }

  private assertPossible(before: State, action: Action, { kind }: Input): void {
    const leadsTo: readonly State[] = LEADS_TO[action].length === 0 ? [before] : LEADS_TO[action];
    if (action === "impossible" || !leadsTo.includes(this.currentState)) {
      throw new Error(`${kind} cannot happen while ${before}`);
    }
  }

  private introduce(): void {
    this.currentState = this.currentState === "opening" ? "handshaking" : "rehandshaking";
    const frame = connectFrame(this.deviceBytes);
    this.emit({ kind: "write", frame, ticket: undefined, afterReconnect: false });
  }

  private ready(): void {
    this.rest("idle");
    this.emit({ kind: "connected" });
  }

  private resume(now: number): void {
    this.emit({ kind: "reconnected", ticket: this.statusInFlight.ticket });
    // A status that had not been sent yet may still reconnect once.
    this.writeStatus(this.firstAttempt === "unsent" ? "awaiting" : "awaitingAgain", true, now);
  }

  private writeStatus(next: "awaiting" | "awaitingAgain", afterReconnect: boolean, now: number): void {
    const { frame, timeoutMs, ticket } = this.statusInFlight;
    this.currentState = next;
    // V8 stores a whole number in place, but would allocate memory for any other number with every status.
    this.currentDeadline = Math.ceil(now + timeoutMs);
    this.decoder?.mark(); // what has begun to arrive before this is not its answer
    this.emit({ kind: "write", frame, ticket, afterReconnect });
  }

  private deliver({ command }: InputOf<"command">, ticket: Ticket | undefined): void {
    if (command.length > 0 || !this.limits.skipsEmptyCommands) this.latestCommand = command;
    this.emit({ kind: "command", command, ticket });
  }

  /** The first command after a status completes it: only the time of arrival distinguishes an answer from a push. */
  private complete(input: InputOf<"command">): void {
    const { frame, ticket } = this.statusInFlight;
    this.inFlight = undefined;
    this.spentFrame = frame;
    this.rest("idle");
    this.deliver(input, ticket);
  }

  private drop(input: Trouble, now: number): void {
    this.leave(input, this.failureOf(input), now);
  }

  /** A late answer on this connection could be taken for the answer to another status, so the connection is dropped too. */
  private fail(input: Trouble, now: number): void {
    const failure = this.failureOf(input);
    const { ticket } = this.statusInFlight;
    this.leave(input, failure, now);
    this.inFlight = undefined;
    this.emit({ kind: "failed", ticket, failure });
  }

  private reconnect(input: Trouble, now: number): void {
    this.drop(input, now);
    this.backOff(input.kind === "closed" ? "closed" : "timed out", now);
  }

  private backOff(firstAttempt: FirstAttempt, now: number): void {
    const { connectTimeoutMs, askAgainForMs } = this.limits;
    this.firstAttempt = firstAttempt;
    this.reconnectUntil = now + connectTimeoutMs + askAgainForMs;
    this.askUntil = Infinity;
    if (now >= this.reconnectFrom) return this.reopen(now);
    this.currentState = "backingOff";
    this.currentDeadline = this.reconnectFrom;
  }

  private reopen(now: number): void {
    this.openUntil("reopening", Math.min(now + this.limits.connectTimeoutMs, this.reconnectUntil));
  }

  private askAgain(input: InputOf<"refused">, now: number): void {
    const { askAgainEveryMs, askAgainForMs } = this.limits;
    this.askUntil = Math.min(this.askUntil, now + askAgainForMs);
    const next = now + askAgainEveryMs;
    if (input.code !== "DEVICE_ALREADY_CONNECTED" || next > this.askUntil || next >= this.reconnectUntil) {
      return this.end(input);
    }
    this.closeConnection(input);
    this.currentState = "backingOff";
    this.currentDeadline = next;
    this.emit({ kind: "refused", code: input.code, willAskAgain: true, ticket: this.statusInFlight.ticket });
  }

  private end(input: Trouble | InputOf<"destroy">): void {
    const failure = input.kind === "destroy" ? undefined : this.failureOf(input);
    const inFlight = this.inFlight?.ticket;
    const waiting = this.queue.clear();
    this.closeConnection(input);
    this.rest("destroyed");
    this.inFlight = undefined;
    this.spentFrame = undefined;
    this.latestCommand = undefined;
    if (input.kind === "refused") {
      this.emit({ kind: "refused", code: input.code, willAskAgain: false, ticket: inFlight });
    }
    this.emit({ kind: "ended", failure, inFlight, waiting });
  }

  // ——— what they share ———

  private openUntil(state: "opening" | "reopening", deadline: number): void {
    this.currentState = state;
    this.currentDeadline = deadline;
    this.decoder = new FrameDecoder(this.limits.maxMessageBytes, this.reader);
    this.emit({ kind: "open" });
  }

  private leave(input: Trouble, failure: Failure, now: number): void {
    const hadConnection = this.decoder !== undefined;
    this.closeConnection(input);
    this.rest("down");
    this.startPause(now);
    if (hadConnection) this.emit({ kind: "dropped", failure, ticket: this.inFlight?.ticket });
  }

  private startPause(now: number): void {
    this.reconnectFrom = now + this.limits.reconnectPauseMs;
  }

  private closeConnection(input: Input): void {
    if (this.decoder === undefined) return;
    this.decoder = undefined; // what follows on this connection is ignored
    if (input.kind !== "closed") this.emit({ kind: "close" });
  }

  private rest(state: "idle" | "down" | "destroyed"): void {
    this.currentState = state;
    this.currentDeadline = undefined;
  }

  private emit(effect: Effect<Ticket>): void {
    if (this.effect === undefined) this.effect = effect;
    else this.moreEffects.push(effect);
  }

  /** The table starts actions that need a status only in states with one in flight. */
  private get statusInFlight(): QueuedStatus<Ticket> {
    return this.inFlight as QueuedStatus<Ticket>;
  }

  private failureOf(input: Trouble): Failure {
    const { currentState: state, firstAttempt, inFlight } = this;
    return failureOf(input, { state, firstAttempt, timeoutMs: inFlight?.timeoutMs ?? 0 });
  }
}

/** The table lets only these inputs cause the action. */
type InputOf<Kind extends Input["kind"]> = Extract<Input, { kind: Kind }>;

function unreadable(detail: string): Input {
  return { kind: "garbage", detail: `the gateway's stream cannot be read: ${detail}` };
}
