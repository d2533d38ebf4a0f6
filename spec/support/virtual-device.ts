import type { Device, Utf8 } from "../../lib/protocol/device.js";
import { DeviceConnection, type Effect, type Limits } from "../../lib/protocol/device-connection.js";
import type { QueueRefusal } from "../../lib/protocol/status-queue.js";
import { button, CONNECT, CONNECTED } from "../testing/wire.js";
import { fromHex, hex } from "./bytes.js";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const utf8 = {
  encode: (text: string) => new TextEncoder().encode(text),
  decode: (bytes: Uint8Array) => decoder.decode(bytes),
};

export const LIMITS: Limits = {
  connectTimeoutMs: 400,
  maxMessageBytes: 16 * 1024 * 1024,
  maxWaiting: 64,
  maxWaitingBytes: 64 * 1024 * 1024,
  reconnectPauseMs: 2,
  askAgainEveryMs: 5,
  askAgainForMs: 350,
  skipsEmptyCommands: false,
};

export interface Ticket {
  readonly name: string;
}

/**
 * A device without a socket and a clock: the whole protocol in virtual time. It carries out each effect as a client does, and
 * logs it as one line with its time. Statuses go by names.
 */
export class VirtualDevice {
  now = 0;
  readonly connection: DeviceConnection<Ticket>;
  readonly effects: { readonly at: number; readonly effect: Effect<Ticket> }[] = [];
  /** Called with each effect while it is carried out, as a listener of the client's would be. */
  onEffect: (effect: Effect<Ticket>) => void = () => undefined;

  private readonly tickets = new Map<string, Ticket>();
  // As a transport's, every chunk comes in the same buffer: what is kept without a copy is spoilt by the next.
  private buffer = new Uint8Array(256);
  private isPumping = false;

  constructor(
    readonly limits: Limits = LIMITS,
    device: Device = button,
    text: Utf8 = utf8,
  ) {
    this.connection = new DeviceConnection(device, limits, { utf8: text });
    this.connection.connect(this.now);
    this.pump();
  }

  /** A device that has connected at time 0, with an empty log. */
  static idle(limits: Limits = LIMITS): VirtualDevice {
    const device = new VirtualDevice(limits);
    device.opened();
    device.receive(CONNECTED);
    device.effects.length = 0;
    return device;
  }

  get state(): string {
    return this.connection.state;
  }

  get deadline(): number | undefined {
    return this.connection.deadline;
  }

  opened(): void {
    this.connection.opened(this.now);
    this.pump();
  }

  closed(cause?: Error): void {
    this.connection.closed(cause, this.now);
    this.pump();
  }

  /** One chunk, written in hex. */
  receive(chunk: string): void {
    this.receiveBytes(fromHex(chunk));
  }

  receiveBytes(bytes: Uint8Array): void {
    if (bytes.length >= this.buffer.length) this.buffer = new Uint8Array(2 * bytes.length);
    this.buffer.fill(0xee);
    this.buffer.set(bytes);
    this.connection.received(this.buffer, bytes.length);
    this.pump();
  }

  /** A status of one byte unless others are given. */
  send(name: string, timeoutMs = 80, status = "01"): QueueRefusal | undefined {
    const ticket = { name };
    this.tickets.set(name, ticket);
    const refusal = this.connection.send(fromHex(status), timeoutMs, ticket);
    this.pump();
    return refusal;
  }

  abort(name: string, cause?: unknown): void {
    this.connection.abort(this.tickets.get(name) ?? { name }, cause, this.now);
    this.pump();
  }

  destroy(): void {
    this.connection.destroy(this.now);
    this.pump();
  }

  /** Lets time pass; each deadline on the way is served at its time. */
  wait(milliseconds: number): void {
    const until = this.now + milliseconds;
    for (let next = this.deadline; next !== undefined && next <= until; next = this.deadline) {
      this.now = next;
      this.connection.deadlinePassed(next);
      this.pump();
    }
    this.now = until;
  }

  /** When effects of that kind were due. */
  timesOf(kind: Effect<Ticket>["kind"]): number[] {
    return this.effects.filter(({ effect }) => effect.kind === kind).map(({ at }) => at);
  }

  /** The effects since the last call, one line each with its time. */
  take(): string[] {
    return this.effects.splice(0).map(({ at, effect }) => `${at}: ${shown(effect)}`);
  }

  /** The effects since the last call, one line each. */
  takeAll(): string[] {
    return this.effects.splice(0).map(({ effect }) => shown(effect));
  }

  private pump(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    try {
      for (let effect = this.connection.next(this.now); effect !== undefined; effect = this.connection.next(this.now)) {
        this.effects.push({ at: this.now, effect });
        this.onEffect(effect);
      }
    } finally {
      this.isPumping = false;
    }
  }
}

function shown(effect: Effect<Ticket>): string {
  switch (effect.kind) {
    case "write": {
      if (effect.ticket === undefined) return hex(effect.frame) === CONNECT ? "write connect" : hex(effect.frame);
      return `write ${effect.ticket.name}${effect.afterReconnect ? " after reconnecting" : ""}`;
    }
    case "command":
      return `command ${hex(effect.command)}${effect.ticket === undefined ? "" : ` completes ${effect.ticket.name}`}`;
    case "refused":
      return `refused ${effect.code}${effect.willAskAgain ? ", will ask again" : ""}`;
    case "failed":
      return `${effect.ticket.name} failed: ${effect.failure.code}`;
    case "ended": {
      const { failure, inFlight, waiting } = effect;
      const names = [...(inFlight === undefined ? [] : [inFlight]), ...waiting].map(({ name }) => name);
      return ["ended", failure?.code, names.length > 0 ? `with ${names.join(", ")}` : undefined]
        .filter((part) => part !== undefined)
        .join(" ");
    }
    case "open":
    case "close":
    case "connected":
    case "reconnected":
    case "dropped":
    case "ignored":
      return effect.kind;
  }
}
