import { Buffer } from "node:buffer";
import { err, ok, type Result } from "neverthrow";
import type { ConnectError, GetCommandError, SendStatusError } from "../errors/error-types.js";
import { connectBodyLength, connectFrame } from "../protocol/client-messages.js";
import {
  begin,
  ENDED,
  transition,
  type ConnectionState,
  type Effect,
  type Failure,
  type Input,
  type Step,
} from "../protocol/connection.js";
import { encodeDevice } from "../protocol/device.js";
import { FrameDecoder } from "../protocol/frame-decoder.js";
import { ServerMessageReader } from "../protocol/server-messages.js";
import { StatusFrames } from "../protocol/status-frames.js";
import {
  argumentError,
  checkedHighWaterMark,
  checkedStatus,
  checkedStatusOptions,
  type CheckedConfig,
} from "./arguments.js";
import { listen, unlisten } from "./abort.js";
import { CommandReaders, type CommandReader } from "./command-readers.js";
import { DeadlineTimer, type DeadlineObserver } from "./deadline-timer.js";
import {
  abortedError,
  destroyedError,
  errorOf,
  noCommandError,
  queueFullError,
  tooLargeError,
} from "./failure-error.js";
import { isCommandObserved, isStatusObserved, publish } from "./diagnostics.js";
import { createHandle, describeEndpoint, type ClientHandle, type NamedClient } from "./handle.js";
import { AwaitedStatus, type AbortObserver, type PendingStatus } from "./pending-status.js";
import { Transport, type TransportEvents } from "./transport.js";

/** A device sends a status and awaits its command before the next; a longer queue means that statuses come too fast for the gateway. */
const MOST_WAITING = 64;

/** An array of its own costs memory, and time with every status that looks into it; most clients never need one. */
const NOBODY: readonly PendingStatus[] = [];

type StatusOutcome<T> = Result<T, SendStatusError>;

const theCommand = (command: Uint8Array): StatusOutcome<Uint8Array> => ok(command);

/**
 * Runs one client: feeds the connection's state machine and carries out what it says, on one socket and one timer,
 * with one status in flight and the others waiting in call order.
 */
export class Client implements NamedClient, TransportEvents, DeadlineObserver, AbortObserver {
  readonly handle: ClientHandle;

  private connection: ConnectionState = ENDED;
  private readonly timer = new DeadlineTimer(this);
  private transport: Transport | undefined;
  private decoder: FrameDecoder | undefined;
  /** What began in one of these chunks began before the status in hand went out. */
  private chunksBeforeStatus = 0;
  private socketsGone: Promise<unknown> = Promise.resolve();

  private readonly deviceBytes: Uint8Array;
  private readonly frames: StatusFrames;
  private readonly messageReader: ServerMessageReader;

  private inHand: PendingStatus | undefined;
  private waiting = NOBODY;
  private latestCommand: Uint8Array | undefined;
  private readers: CommandReaders | undefined;

  /** What is fed while an input is being carried out waits for its turn. */
  private inputs: Input[] | undefined;
  private isFeeding = false;
  private isReading = false;

  private endReason: SendStatusError | undefined;
  private onConnected: ((outcome: Result<ClientHandle, ConnectError>) => void) | undefined;

  constructor(private readonly config: CheckedConfig) {
    this.handle = createHandle(this, config.device, config.host, config.port);
    this.deviceBytes = encodeDevice(config.device);
    // What is to be written is best a Buffer: Node would wrap anything else in one, with every status.
    this.frames = new StatusFrames(this.deviceBytes, (bytes) => Buffer.allocUnsafeSlow(bytes));
    this.messageReader = new ServerMessageReader(config.device, this.deviceBytes);
  }

  get isDestroyed(): boolean {
    return this.connection.kind === "ended";
  }

  get state(): string {
    return stateNames[this.connection.kind];
  }

  connect(): Promise<Result<ClientHandle, ConnectError>> {
    const { signal, maxMessageBytes } = this.config;
    const bodyLength = connectBodyLength(this.deviceBytes);
    if (signal?.aborted === true) return Promise.resolve(err(abortedError(this.endpoint, signal.reason)));
    if (bodyLength > maxMessageBytes) {
      return Promise.resolve(err(tooLargeError(this.endpoint, "config.device", bodyLength, maxMessageBytes)));
    }
    return new Promise((resolve) => {
      const onAbort = { handleEvent: () => this.abortConnect(signal?.reason) };
      if (signal !== undefined) listen(signal, onAbort);
      this.onConnected = (outcome) => {
        this.onConnected = undefined;
        if (signal !== undefined) unlisten(signal, onAbort);
        if (outcome.isOk()) resolve(outcome);
        // A failed connect leaves nothing open, not even a socket about to close.
        else void this.socketsGone.then(() => resolve(outcome));
      };
      this.carryOut(begin(performance.now(), this.config));
    });
  }

  sendStatus(status: unknown, options: unknown): Promise<StatusOutcome<ClientHandle>> {
    return this.submit(status, options, () => ok(this.handle));
  }

  exchange(status: unknown, options: unknown): Promise<StatusOutcome<Uint8Array>> {
    return this.submit(status, options, theCommand);
  }

  getCommand(): Result<Uint8Array, GetCommandError> {
    if (this.isDestroyed) return err(destroyedError(this.endpoint, this.endReason));
    return this.latestCommand === undefined ? err(noCommandError(this.endpoint)) : ok(this.latestCommand);
  }

  commands(options: unknown): CommandReader {
    const highWaterMark = checkedHighWaterMark(options);
    this.readers ??= new CommandReaders();
    const reader = this.readers.subscribe(highWaterMark);
    if (this.isDestroyed) this.readers.end();
    return reader;
  }

  async destroy(): Promise<void> {
    this.feed({ type: "destroy" });
    await Promise.resolve(); // called by a listener of diagnostics, it is carried out only after what that listener was told of
    await this.socketsGone;
  }

  // ——— what the transport tells ———

  opened(): void {
    this.handleEvent({ type: "opened" });
  }

  received(chunk: Uint8Array, length: number): void {
    const { decoder } = this;
    this.isReading = true;
    try {
      decoder?.push(chunk, length);
      // What follows on a connection that was dropped in the middle of a chunk is nobody's.
      while (decoder !== undefined && decoder === this.decoder) {
        const input = this.nextInput(decoder);
        if (input === undefined) break;
        this.feed(input);
      }
    } finally {
      this.isReading = false;
    }
    this.startWaiting();
  }

  private nextInput(decoder: FrameDecoder): Input | undefined {
    try {
      const body = decoder.next();
      if (body === undefined) return undefined;
      if (body.kind === "broken") return brokenStream(body.detail);
      const isEarly = body.beganInChunk <= this.chunksBeforeStatus;
      return { type: "message", message: this.messageReader.read(body), isEarly };
    } catch (error) {
      return brokenStream((error as Error).message); // there may be no memory for what has come
    }
  }

  closed(cause: Error | undefined): void {
    this.leaveTransport();
    this.handleEvent({ type: "closed", cause });
  }

  // ——— what the timer asks and tells ———

  get deadline(): number | undefined {
    return this.connection.deadline;
  }

  deadlinePassed(): void {
    this.handleEvent({ type: "deadlinePassed" });
  }

  // ——— the statuses ———

  private submit<T>(
    status: unknown,
    options: unknown,
    outcomeOf: (command: Uint8Array) => StatusOutcome<T>,
  ): Promise<StatusOutcome<T>> {
    if (this.isDestroyed) return Promise.resolve(err(destroyedError(this.endpoint, this.endReason)));
    return new Promise((resolve) => {
      try {
        const { timeoutMs, signal } = checkedStatusOptions(options);
        const frame = this.frameFor(checkedStatus(status), signal);
        this.takeOn(new AwaitedStatus(frame, timeoutMs, signal, this, outcomeOf, resolve));
      } catch (thrown) {
        resolve(err(argumentError(thrown)));
      }
    });
  }

  /** @throws InternalClientError NOT_OK when the status cannot be taken */
  private frameFor(status: Uint8Array, signal: AbortSignal | undefined): Uint8Array {
    if (signal?.aborted === true) throw abortedError(this.endpoint, signal.reason);
    if (this.waiting.length >= MOST_WAITING) throw queueFullError(this.endpoint, this.waiting.length);
    const bodyLength = this.frames.bodyLength(status);
    const { maxMessageBytes } = this.config;
    if (bodyLength > maxMessageBytes) throw tooLargeError(this.endpoint, "status", bodyLength, maxMessageBytes);
    return this.frames.make(status);
  }

  private takeOn(pending: PendingStatus): void {
    if (this.isBusy) this.waiting = [...this.waiting, pending];
    else this.start(pending);
    this.startWaiting();
  }

  private startWaiting(): void {
    // More than once round where a listener of diagnostics aborts a status while it is being told that it went out.
    for (let next = this.waiting[0]; next !== undefined && !this.isBusy; next = this.waiting[0]) {
      this.waiting = this.waiting.slice(1);
      this.start(next);
    }
  }

  /**
   * A status starts when nothing else is under way. While a chunk is being read it has to wait: a command later in the same
   * chunk arrived before the status went out and must not be taken for its answer.
   */
  private get isBusy(): boolean {
    return this.inHand !== undefined || this.isReading || this.isFeeding;
  }

  private start(pending: PendingStatus): void {
    this.inHand = pending;
    this.feed({ type: "status", timeoutMs: pending.timeoutMs });
  }

  abort(pending: PendingStatus, reason: unknown): void {
    pending.fail(abortedError(this.endpoint, reason));
    if (pending !== this.inHand) {
      this.waiting = this.waiting.filter((other) => other !== pending);
      return;
    }
    this.inHand = undefined;
    this.handleEvent({ type: "abandon" });
  }

  private abortConnect(reason: unknown): void {
    this.handleEvent({ type: "destroy" });
    this.onConnected?.(err(abortedError(this.endpoint, reason)));
  }

  // ——— the state machine ———

  private handleEvent(input: Input): void {
    this.feed(input);
    this.startWaiting();
  }

  private feed(input: Input): void {
    if (this.isFeeding) {
      (this.inputs ??= []).push(input);
      return;
    }
    this.isFeeding = true;
    try {
      for (let next: Input | undefined = input; next !== undefined; next = this.inputs?.shift()) {
        this.carryOut(transition(this.connection, next, performance.now(), this.config));
      }
    } finally {
      this.isFeeding = false;
    }
  }

  private carryOut(step: Step): void {
    this.connection = step.state;
    if (step.state.deadline !== undefined) this.timer.watch(step.state.deadline);
    if (!this.config.keepProcessAlive) this.holdProcess(step.state);
    if (step.state.kind === "dropped") this.timer.stop(); // an armed timer would keep the process alive for nothing
    for (const effect of step.effects) this.run(effect);
  }

  /** Only a client that nobody waits for may let the process end. */
  private holdProcess({ kind }: ConnectionState): void {
    const holds = kind !== "idle" && kind !== "dropped";
    this.transport?.setRef(holds);
    this.timer.hold(holds);
  }

  private run(effect: Effect): void {
    switch (effect.type) {
      case "open":
        return this.open();
      case "sendConnect":
        return this.transport?.write(connectFrame(this.deviceBytes));
      case "sendStatus":
        return this.sendStatusInHand(effect.afterReconnect);
      case "close":
        return this.leaveTransport();
      case "connected":
        return this.connected();
      case "reconnected":
        return publish("reconnect", this.handle, {});
      case "refused":
        return publish("refusal", this.handle, { code: effect.code, willAskAgain: effect.willAskAgain });
      case "deliver":
        return this.deliver(effect.command, effect.completes);
      case "failStatus":
        return this.failStatus(effect.failure);
      case "end":
        return this.end(effect.failure);
      case "dropped":
        return publish("drop", this.handle, { reason: effect.reason });
      case "ignored":
        return publish("ignore", this.handle, { reason: effect.reason });
    }
  }

  private connected(): void {
    this.onConnected?.(ok(this.handle));
    publish("connect", this.handle, {});
  }

  private open(): void {
    const { maxMessageBytes } = this.config;
    this.decoder = new FrameDecoder(maxMessageBytes, (bodyLength) => this.messageReader.prefixLength(bodyLength));
    this.transport = new Transport(this.config, this);
  }

  private leaveTransport(): void {
    if (this.transport === undefined) return;
    const gone = this.transport.close();
    this.socketsGone = this.socketsGone.then(() => gone);
    this.transport = undefined;
    this.decoder = undefined;
  }

  private sendStatusInHand(afterReconnect: boolean): void {
    if (this.inHand === undefined) return;
    const { frame } = this.inHand;
    this.chunksBeforeStatus = this.decoder?.chunkCount ?? 0;
    this.transport?.write(frame);
    if (isStatusObserved()) publish("status", this.handle, { frameBytes: frame.length, afterReconnect });
  }

  private deliver(command: Uint8Array, completes: boolean): void {
    this.latestCommand = command;
    this.readers?.deliver(command);
    if (completes) {
      const completed = this.inHand;
      this.inHand = undefined;
      completed?.complete(command);
      // A push can complete a status whose frame is still on its way out.
      if (completed !== undefined && this.transport?.isFlushed === true) this.frames.takeBack(completed.frame);
    }
    if (isCommandObserved()) {
      publish("command", this.handle, { bytes: command.length, kind: completes ? "answer" : "push" });
    }
  }

  private failStatus(failure: Failure): void {
    const failed = this.inHand;
    this.inHand = undefined;
    failed?.fail(errorOf(failure, this.endpoint, "the client lives and reconnects with the next status"));
  }

  private end(failure: Failure | undefined): void {
    this.timer.stop();
    this.readers?.end();
    this.latestCommand = undefined;
    if (this.onConnected !== undefined) return this.failConnect(failure);
    if (failure !== undefined) {
      this.endReason = errorOf(failure, this.endpoint, "the client is destroyed, connect again");
    }
    const inHand = this.inHand;
    this.inHand = undefined;
    inHand?.fail(this.endReason ?? destroyedError(this.endpoint, undefined));
    const { waiting } = this;
    this.waiting = NOBODY;
    for (const pending of waiting) pending.fail(destroyedError(this.endpoint, this.endReason));
    publish("destroy", this.handle, { error: this.endReason });
  }

  private failConnect(failure: Failure | undefined): void {
    if (failure !== undefined)
      this.onConnected?.(err(errorOf(failure, this.endpoint, "nothing is left open") as ConnectError));
  }

  private get endpoint(): string {
    return describeEndpoint(this.handle);
  }
}

function brokenStream(detail: string): Input {
  return { type: "brokenStream", detail: `the gateway's stream cannot be read: ${detail}` };
}

const stateNames: Record<ConnectionState["kind"], string> = {
  opening: "connecting",
  introducing: "connecting",
  idle: "connected",
  exchanging: "awaiting a command",
  dropped: "disconnected, reconnects with the next status",
  pausing: "reconnecting",
  ended: "destroyed",
};
