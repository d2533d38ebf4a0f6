import type { AsyncResource } from "node:async_hooks";
import { Buffer } from "node:buffer";
import { performance } from "node:perf_hooks";
import { TextDecoder, TextEncoder } from "node:util";
import { err, ok, type Result } from "neverthrow";
import type { ConnectError, GetCommandError, SendStatusError } from "../errors/error-types.js";
import { DeviceConnection, type Effect, type Limits, type Runtime } from "../protocol/device-connection.js";
import type { Failure } from "../protocol/failures.js";
import type { State } from "../protocol/transitions.js";
import {
  argumentError,
  checkedCommandsOptions,
  checkedStatus,
  checkedStatusOptions,
  type CheckedConfig,
} from "./arguments.js";
import { listen, unlisten } from "./abort.js";
import { outsideCalls } from "./async-context.js";
import { CommandReader, CommandReaders } from "./command-readers.js";
import { DeadlineTimer, type DeadlineObserver } from "./deadline-timer.js";
import {
  abortedError,
  destroyedError,
  errorOf,
  noCommandError,
  queueFullError,
  tooLargeError,
  type Aftermath,
} from "./failure-error.js";
import {
  contextOfCall,
  isCommandObserved,
  isStatusObserved,
  publish,
  type CommandKind,
  type DiagnosticsMessages,
} from "./diagnostics.js";
import { createHandle, describeEndpoint, type AnyHandle, type LivingClient } from "./handle.js";
import { PendingStatus, type AbortObserver } from "./pending-status.js";
import { noticeStandstill } from "./standstill.js";
import { isTraced, traced } from "./tracing.js";
import { Transport, type TransportEvents } from "./transport.js";

export const FIXED_LIMITS = {
  maxWaiting: 64,
  maxWaitingBytes: 64 * 1024 * 1024,
  reconnectPauseMs: 2,
  askAgainEveryMs: 5,
  askAgainForMs: 350,
} as const satisfies Partial<Limits>;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const RUNTIME: Runtime = {
  utf8: { encode: (text) => encoder.encode(text), decode: (bytes) => decoder.decode(bytes) },
  // Bytes to write are best a Buffer: Node would wrap anything else in one, for every status.
  allocate: (bytes) => Buffer.allocUnsafe(bytes),
};

/**
 * Drives one client's connection: feeds it the inputs of the socket, the timer and the callers, and completes each effect
 * before the next. Inputs that a listener of diagnostics or a caller causes meanwhile wait for their turn.
 */
export class Client implements LivingClient, TransportEvents, DeadlineObserver, AbortObserver {
  readonly handle: AnyHandle;

  private readonly connection: DeviceConnection<PendingStatus>;
  private readonly timer = new DeadlineTimer(this);
  private transport: Transport | undefined;
  /** Resolves when every closed socket is gone; undefined if none has been closed. */
  private closing: Promise<unknown> | undefined;

  private readers: CommandReaders | undefined;
  private isPumping = false;
  /** When the pump started, or when a listener of diagnostics last returned. */
  private now = 0;
  /** What the transport reported in the middle of an effect. */
  private deferred: (() => void)[] | undefined;

  private endReason: SendStatusError | undefined;
  private closedListeners: Set<() => void> | undefined;
  private onConnected: ((outcome: Result<AnyHandle, ConnectError>) => void) | undefined;
  /** The async context of the connecting call, until it is connected; undefined if nobody subscribes to diagnostics. */
  private connectContext: AsyncResource | undefined;

  constructor(private readonly config: CheckedConfig) {
    this.handle = createHandle(this, config);
    const { connectTimeoutMs, maxMessageBytes, skipsEmptyCommands } = config;
    this.connection = new DeviceConnection(
      config.device,
      // Spread first, V8 gives each client's limits a shape of their own, and a thousand of those are slow to read.
      { connectTimeoutMs, maxMessageBytes, skipsEmptyCommands, ...FIXED_LIMITS },
      RUNTIME,
    );
  }

  get isDestroyed(): boolean {
    return this.connection.state === "destroyed";
  }

  get state(): string {
    return stateNames[this.connection.state];
  }

  connect(): Promise<Result<AnyHandle, ConnectError>> {
    return isTraced("connect") ? traced("connect", this.handle, () => this.connectNow()) : this.connectNow();
  }

  private connectNow(): Promise<Result<AnyHandle, ConnectError>> {
    const { signal, maxMessageBytes } = this.config;
    const { connectBytes } = this.connection;
    if (signal?.aborted === true) return Promise.resolve(err(this.abortedConnect(signal.reason)));
    if (connectBytes > maxMessageBytes) {
      return Promise.resolve(err(tooLargeError(this.endpoint, "config.device", connectBytes, maxMessageBytes)));
    }
    return new Promise((resolve) => {
      const onAbort = { handleEvent: () => this.feed(() => this.connection.destroy(performance.now())) };
      if (signal !== undefined) listen(signal, onAbort);
      this.connectContext = contextOfCall();
      this.onConnected = (outcome) => {
        this.onConnected = undefined;
        if (signal !== undefined) unlisten(signal, onAbort);
        if (outcome.isOk()) resolve(outcome);
        // A failed connect leaves nothing open, not even a socket about to close.
        else void Promise.resolve(this.closing).then(() => resolve(outcome));
      };
      this.connection.connect(performance.now());
      this.pump();
    });
  }

  exchange(status: unknown, options: unknown): Promise<Result<Uint8Array, SendStatusError>> {
    if (!isTraced("exchange")) return this.exchangeNow(status, options);
    return traced("exchange", this.handle, () => this.exchangeNow(status, options));
  }

  private exchangeNow(status: unknown, options: unknown): Promise<Result<Uint8Array, SendStatusError>> {
    if (this.isDestroyed) return Promise.resolve(err(destroyedError(this.endpoint, this.endReason)));
    return new Promise((resolve) => {
      try {
        this.send(status, options, resolve);
      } catch (thrown) {
        resolve(err(argumentError(thrown)));
      }
    });
  }

  /** @throws InternalClientError NOT_OK for a wrong argument */
  private send(given: unknown, options: unknown, settle: (outcome: Result<Uint8Array, SendStatusError>) => void): void {
    const { timeoutMs, signal } = checkedStatusOptions(options);
    const status = checkedStatus(given);
    // A getter of the options may have destroyed the client.
    if (this.isDestroyed) return settle(err(destroyedError(this.endpoint, this.endReason)));
    if (signal?.aborted === true) throw abortedError(this.endpoint, signal.reason);
    const pending = new PendingStatus(signal, this, settle, contextOfCall());
    const refusal = this.connection.send(status, timeoutMs, pending);
    if (refusal === undefined) return this.pump();
    const { maxMessageBytes } = this.config;
    pending.fail(
      refusal.reason === "queue-full"
        ? queueFullError(this.endpoint, refusal.statuses)
        : tooLargeError(this.endpoint, "status", refusal.bytes, maxMessageBytes),
    );
  }

  getCommand(): Result<Uint8Array, GetCommandError> {
    if (this.isDestroyed) return err(destroyedError(this.endpoint, this.endReason));
    const { latestCommand } = this.connection;
    return latestCommand === undefined ? err(noCommandError(this.endpoint)) : ok(latestCommand);
  }

  commands(options: unknown): CommandReader {
    if (this.isDestroyed) return CommandReader.failed(destroyedError(this.endpoint, this.endReason));
    try {
      const checked = checkedCommandsOptions(options);
      this.readers ??= new CommandReaders(this.config.keepProcessAlive, this.endpoint);
      return this.readers.subscribe(checked);
    } catch (thrown) {
      return CommandReader.failed(argumentError(thrown));
    }
  }

  /** Ok if the owner destroyed the client; else the error that did. */
  whenClosed(): Promise<Result<void, SendStatusError>> {
    return new Promise((resolve) => {
      this.onClosed(() => resolve(this.endReason === undefined ? ok(undefined) : err(this.endReason)));
    });
  }

  onClosed(listener: () => void): () => void {
    // The reason is set once the effects are carried out.
    if (this.isDestroyed) void Promise.resolve().then(listener);
    else (this.closedListeners ??= new Set()).add(listener);
    return () => void this.closedListeners?.delete(listener);
  }

  async destroy(): Promise<void> {
    this.connection.destroy(performance.now());
    this.pump();
    await Promise.resolve(); // if a diagnostics listener called us, let its event finish first
    await this.closing;
  }

  abort(pending: PendingStatus, reason: unknown): void {
    this.connection.abort(pending, reason, performance.now());
    this.pump();
  }

  // ——— what the transport reports ———

  opened(): void {
    this.feed(() => this.connection.opened(performance.now()));
  }

  received(chunk: Uint8Array, length: number): void {
    if (this.isPumping) {
      const copy = Uint8Array.prototype.slice.call(chunk, 0, length);
      return this.feed(() => this.connection.received(copy, length));
    }
    this.connection.received(chunk, length);
    this.pump();
  }

  closed(cause: Error | undefined): void {
    this.feed(() => {
      this.closeTransport();
      this.connection.closed(cause, performance.now());
    });
  }

  // ——— what the timer asks and reports ———

  get deadline(): number | undefined {
    return this.connection.deadline;
  }

  deadlinePassed(): void {
    this.connection.deadlinePassed(performance.now(), this.transport?.obstacle);
    this.pump();
  }

  postpone(milliseconds: number): void {
    this.connection.postpone(milliseconds);
  }

  // ——— the pump ———

  /** The user's stream may report something while a listener of diagnostics runs: that waits until the effect is carried out. */
  private feed(input: () => void): void {
    if (this.isPumping) {
      const { transport } = this;
      (this.deferred ??= []).push(() => {
        if (transport === this.transport) input();
      });
      return;
    }
    noticeStandstill(performance.now());
    input();
    this.pump();
  }

  private pump(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    try {
      do this.performAll();
      while (this.feedDeferred());
    } finally {
      this.isPumping = false;
    }
    if (!this.config.keepProcessAlive) this.setRef(this.connection.deadline !== undefined);
  }

  private performAll(): void {
    this.now = performance.now();
    noticeStandstill(this.now);
    for (;;) {
      const effect = this.connection.next(this.now);
      if (effect === undefined) return this.timer.schedule(this.now);
      this.perform(effect);
    }
  }

  /** Nothing is written or read while a listener of diagnostics is busy, so its time is added to the limits. */
  private publish<Name extends keyof DiagnosticsMessages>(
    name: Name,
    context: AsyncResource | undefined,
    detailsOf: () => Omit<DiagnosticsMessages[Name], "client">,
  ): void {
    const begunAt = performance.now();
    publish(name, this.handle, context, detailsOf);
    this.now = performance.now();
    const busyMs = Math.trunc(this.now - begunAt);
    if (busyMs === 0) return;
    this.connection.postpone(busyMs);
    this.timer.countedItself(this.now);
  }

  private feedDeferred(): boolean {
    const input = this.deferred?.shift();
    input?.();
    return input !== undefined;
  }

  /** With `keepProcessAlive: false`, only a client with something under way keeps the process alive. */
  private setRef(isRef: boolean): void {
    this.transport?.setRef(isRef);
    this.timer.setRef(isRef);
  }

  private perform(effect: Effect<PendingStatus>): void {
    switch (effect.kind) {
      case "open":
        this.transport = outsideCalls(() => new Transport(this.config, this));
        return;
      case "write":
        return this.write(effect);
      case "close":
        return this.closeTransport();
      case "connected":
        return this.connected();
      case "reconnected":
        return this.publish("reconnect", effect.ticket.context, () => ({}));
      case "refused":
        return this.refused(effect);
      case "command":
        return this.deliver(effect);
      case "failed":
        return effect.ticket.fail(
          this.statusError(effect.failure, "The client can still be used; the next status reconnects."),
        );
      case "dropped":
        return this.dropped(effect);
      case "ignored":
        return this.publish("ignore", undefined, () => ({ reason: effect.message }));
      case "ended":
        return this.end(effect);
    }
  }

  private write({ frame, ticket, afterReconnect }: EffectOf<"write">): void {
    this.transport?.write(frame);
    if (ticket !== undefined && isStatusObserved()) {
      this.publish("status", ticket.context, () => ({ frameBytes: frame.length, afterReconnect }));
    }
  }

  private connected(): void {
    const { connectContext } = this;
    this.connectContext = undefined;
    this.onConnected?.(ok(this.handle));
    this.publish("connect", connectContext, () => ({}));
  }

  private refused({ code, willAskAgain, ticket }: EffectOf<"refused">): void {
    const context = ticket === undefined ? this.connectContext : ticket.context;
    this.publish("refusal", context, () => ({ code, willAskAgain }));
  }

  private dropped({ failure, ticket }: EffectOf<"dropped">): void {
    this.timer.stop(); // an armed timer would needlessly keep the process alive
    this.publish("drop", ticket?.context, () => ({
      reason: failure.message,
      error: this.statusError(failure, "The client can still be used."),
    }));
  }

  private deliver({ command, ticket }: EffectOf<"command">): void {
    if (command.length > 0 || !this.config.skipsEmptyCommands) this.readers?.deliver(command);
    if (ticket !== undefined) {
      ticket.complete(command);
      // A push can complete a status whose frame is still being sent.
      if (this.transport?.isFlushed === true) this.connection.flushed();
    }
    if (isCommandObserved()) {
      const kind: CommandKind = ticket === undefined ? "push" : "answer";
      this.publish("command", ticket?.context, () => ({ bytes: command.length, kind }));
    }
  }

  private statusError(failure: Failure, aftermath: Aftermath): SendStatusError {
    if (failure.reason === "aborted") return abortedError(this.endpoint, failure.cause);
    return errorOf(failure, this.endpoint, aftermath);
  }

  private end({ failure, inFlight, waiting }: EffectOf<"ended">): void {
    this.timer.stop();
    this.readers?.end();
    if (this.onConnected !== undefined) return this.endConnect(this.connectError(failure));
    if (failure !== undefined) {
      this.endReason = errorOf(failure, this.endpoint, "The client is destroyed; connect again.");
    }
    inFlight?.fail(this.endReason ?? destroyedError(this.endpoint, undefined));
    for (const pending of waiting) pending.fail(destroyedError(this.endpoint, this.endReason));
    for (const listener of this.closedListeners ?? []) void Promise.resolve().then(listener);
    this.closedListeners = undefined;
    // If the owner destroys it, that is published in the owner's context.
    const context = failure === undefined ? contextOfCall() : inFlight?.context;
    this.publish("destroy", context, () => ({ error: this.endReason }));
  }

  private endConnect(error: ConnectError): void {
    const { connectContext } = this;
    this.connectContext = undefined;
    this.onConnected?.(err(error));
    this.publish("destroy", connectContext, () => ({ error }));
  }

  private connectError(failure: Failure | undefined): ConnectError {
    if (failure === undefined) return this.abortedConnect(this.config.signal?.reason);
    return errorOf(failure, this.endpoint, "Nothing is left open.") as ConnectError;
  }

  private abortedConnect(reason: unknown): ConnectError {
    return abortedError(this.endpoint, reason, "Nothing is left open.");
  }

  private closeTransport(): void {
    if (this.transport === undefined) return;
    const { transport, closing } = this;
    this.transport = undefined;
    this.closing = outsideCalls(() => {
      const gone = transport.close();
      return closing === undefined ? gone : closing.then(() => gone);
    });
  }

  private get endpoint(): string {
    return describeEndpoint(this.handle);
  }
}

type EffectOf<Kind extends Effect<PendingStatus>["kind"]> = Extract<Effect<PendingStatus>, { kind: Kind }>;

const stateNames: Record<State, string> = {
  opening: "connecting",
  handshaking: "connecting",
  idle: "connected",
  awaiting: "awaiting a command",
  down: "disconnected, reconnects with the next status",
  backingOff: "reconnecting",
  reopening: "connecting",
  rehandshaking: "connecting",
  awaitingAgain: "awaiting a command",
  destroyed: "destroyed",
};
