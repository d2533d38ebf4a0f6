import type { DeviceConnection, Effect, Limits } from "../../lib/protocol/device-connection.js";
import { framed } from "../../spec/support/protobuf-fields.js";
import { copyOf, textOf } from "./snapshot.js";

// One device, its caller, the network and a gateway that may do anything, as one value that can be copied and compared.

export type Connection = DeviceConnection<Ticket>;

/** The class under test: the library's own, or one with a fault in it. */
export type ConnectionClass = new (
  device: typeof DEVICE,
  limits: Limits,
  runtime: { readonly utf8: typeof utf8 },
) => Connection;

export interface Ticket {
  readonly name: string;
}

/** How often each thing may happen. */
export interface Bounds {
  readonly statuses: number;
  readonly pushes: number;
  readonly drops: number;
  readonly aborts: number;
  readonly garbage: number;
  readonly freezes: number;
  /** Calls from within an effect, as a listener of diagnostics makes them. */
  readonly calls: number;
}

const DEVICE = { module: 1, deviceType: 0, deviceRole: "r", deviceName: "", priority: 0 };
const DEVICE_BYTES = "0801" + "1a0172";
const OTHER_BYTES = "0802" + "1a0172";

const decoder = new TextDecoder("utf-8", { fatal: true });
const utf8 = {
  encode: (text: string) => new TextEncoder().encode(text),
  decode: (bytes: Uint8Array) => decoder.decode(bytes),
};

/** Short, so that all deadlines meet; of the same order as the real ones. */
const LIMITS: Limits = Object.freeze({
  connectTimeoutMs: 10,
  maxMessageBytes: 1_000,
  maxWaiting: 64,
  maxWaitingBytes: 1_000_000,
  reconnectPauseMs: 2,
  askAgainEveryMs: 5,
  askAgainForMs: 12,
  skipsEmptyCommands: false,
});
const TIMEOUT_MS = 20;
const FREEZE_MS = 1_000;
const BOUND_MS = 2 * TIMEOUT_MS + 2 * (LIMITS.connectTimeoutMs + LIMITS.askAgainForMs);

/** Cut here, a frame's first part ends in its body. */
const HALF_BYTES = 6;

/** What the gateway has sent, and how the device is to take it. */
interface Message {
  readonly hex: string;
  /** A command's only byte; 0 for all other messages. */
  readonly number: number;
  /** In which chunk its first byte arrived; 0 while none has. */
  began: number;
}

interface Net {
  isUp: boolean;
  /** The gateway has accepted the device on this connection. */
  isAccepted: boolean;
  toGateway: string[];
  fromGateway: Message[];
  /** The gateway has refused the device or broken the protocol. */
  isSpoilt: boolean;
  /** The end that the gateway has put behind what it sent. */
  end: "" | "closed" | "reset";
}

interface StatusRecord {
  readonly name: string;
  settled: string;
  writes: number;
  reconnections: number;
  /** How long the process had run when its turn began; undefined while it waits. */
  since: number | undefined;
  /** The chunk during or after which it was written on the present connection; undefined before. */
  writtenAt: number | undefined;
}

const STATUS_CODES = new Set([
  "UNABLE_TO_CONNECT",
  "TIMEOUT_OCCURRED",
  "DEVICE_ALREADY_CONNECTED",
  "HIGHER_PRIORITY_ALREADY_CONNECTED",
  "MODULE_NOT_SUPPORTED",
  "DEVICE_TYPE_NOT_SUPPORTED",
  "DEVICE_INCORRECT",
  "COMMAND_INCORRECT",
  "NOT_OK",
]);
const CONNECT_CODES = new Set([...STATUS_CODES].filter((code) => !/TIMEOUT_OCCURRED|COMMAND_INCORRECT/.test(code)));

const WITH_CONNECTION = ["opening", "handshaking", "idle", "awaiting", "reopening", "rehandshaking", "awaitingAgain"];
const WITHOUT_DEADLINE = ["idle", "down", "destroyed"];
const WITHOUT_LIMIT = [...WITHOUT_DEADLINE, "backingOff"];

const TICKETS = ["a", "b", "c", "d", "e"].map((name) => Object.freeze({ name }));

export class World {
  violation: string | undefined;
  /** How many effects the last move had. */
  effects = 0;

  /** Before which effect of the next move a listener makes a call, and which. */
  private call: { readonly before: number; readonly act: (world: World) => void } | undefined;

  private now = 0;
  private net: Net | undefined;
  private readonly statuses: StatusRecord[] = [];
  private connectOutcome = "";
  private hasEnded = false;
  private chunks = 0;
  private commands = 0;
  private latest = 0;
  private connections = 0;
  private isLossReported = false;
  private stalledMs = 0;
  /** How long the process has to have run before a limit may strike. */
  private limitedUntil = 0;
  /** In this move the device has a reason of its own to close a connection: a limit, or what a caller wants. */
  private mayClose = false;
  private firstRefusalAt: number | undefined;
  private droppedAt = -Infinity;
  private left: Bounds;

  private constructor(
    readonly device: Connection,
    bounds: Bounds,
  ) {
    this.left = { ...bounds };
  }

  static start(Class: ConnectionClass, bounds: Bounds): World {
    const world = new World(new Class(DEVICE, LIMITS, { utf8 }), bounds);
    world.device.connect(0);
    world.pump();
    world.check();
    return world;
  }

  copy(): this {
    return copyOf(this);
  }

  /** Two worlds with the same key go on in the same way. */
  key(): string {
    const { device, net, now } = this;
    const messages = net?.fromGateway.map(({ hex, began }) => `${hex}${began > 0 ? "'" : ""}`);
    const statuses = this.statuses.map(({ settled, writes, reconnections, since, writtenAt }) =>
      settled !== ""
        ? "x"
        : [writes, reconnections, since === undefined ? "w" : this.ran - since, writtenAt !== undefined],
    );
    return [
      textOf(device, now),
      net === undefined ? "" : [net.isUp, net.isAccepted, net.isSpoilt, net.toGateway, messages, net.end],
      statuses.join(";"),
      [this.connectOutcome, Object.values(this.left)],
      this.limitLeft,
      device.state === "down" ? Math.min(LIMITS.reconnectPauseMs, now - this.droppedAt) : "",
      this.firstRefusalAt === undefined ? "" : this.ran - this.firstRefusalAt,
    ].join("#");
  }

  /** Two worlds with the same key settle in the same way if only time passes. */
  settlingKey(): string {
    return textOf(this.device, this.now);
  }

  /** Whether a listener may still make a call. */
  get mayCall(): boolean {
    return this.left.calls > 0;
  }

  /** Carries out a move; a listener may make a call before one of its effects. */
  move(act: (world: World) => void, call?: { readonly before: number; readonly act: (world: World) => void }): void {
    this.effects = 0;
    this.call = call;
    if (call !== undefined) this.spend("calls");
    act(this);
    this.call = undefined;
    this.mayClose = false;
    this.check();
  }

  // ——— all that can happen next ———

  *moves(): Generator<readonly [name: string, act: (world: World) => void]> {
    if (this.hasEnded) return;
    yield* this.callers();
    yield* this.time();
    if (this.net !== undefined) yield* this.network(this.net);
  }

  /** What a caller may do, in the middle of an effect too. */
  *callers(): Generator<readonly [name: string, act: (world: World) => void]> {
    if (this.connectOutcome === "connected") {
      if (this.statuses.length < this.left.statuses) yield ["send", (world) => world.send()];
      if (this.left.aborts > 0) {
        for (const [at, { settled, name }] of this.statuses.entries()) {
          if (settled === "") yield [`abort ${name}`, (world) => world.abort(at)];
        }
      }
    }
    yield ["destroy", (world) => world.destroy()];
  }

  private *time(): Generator<readonly [name: string, act: (world: World) => void]> {
    const { deadline } = this.device;
    if (deadline === undefined) return;
    if (deadline > this.now) yield ["time passes to the deadline", (world) => (world.now = deadline)];
    else yield ["timer", (world) => world.timer()];
    if (this.left.freezes > 0) yield ["process freezes", (world) => world.freeze()];
  }

  private *network(net: Net): Generator<readonly [name: string, act: (world: World) => void]> {
    if (!net.isUp) {
      yield ["connection opens", (world) => world.open()];
      yield ["connection is refused", (world) => world.close("ECONNREFUSED")];
      return;
    }
    yield* this.arrivals(net);
    if (net.end === "") yield* this.gateway(net);
  }

  private *arrivals(net: Net): Generator<readonly [name: string, act: (world: World) => void]> {
    const { length } = net.fromGateway;
    if (length > 0) yield ["1 arrives", (world) => world.receive(1, false)];
    if (length > 1) {
      yield ["2 arrive", (world) => world.receive(2, false)];
      yield ["1 and a half arrive", (world) => world.receive(1, true)];
    }
    if (net.fromGateway[0]?.began === 0) yield ["a half arrives", (world) => world.receive(0, true)];
    if (length === 0 && net.end !== "") yield ["the end arrives", (world) => world.close(net.end)];
  }

  private *gateway(net: Net): Generator<readonly [name: string, act: (world: World) => void]> {
    if (this.left.drops > 0) {
      yield ["gateway closes", (world) => world.hangUp("closed")];
      yield ["gateway resets", (world) => world.hangUp("reset")];
    }
    if (net.toGateway[0] === "connect") {
      yield ["gateway accepts", (world) => world.accept()];
      for (const type of [1, 2, 3, 4]) yield [`gateway refuses ${type}`, (world) => world.refuse(type)];
    } else if (net.toGateway.length > 0) {
      yield ["gateway answers", (world) => world.answer(true)];
      yield ["gateway does not answer", (world) => world.answer(false)];
    }
    if (net.fromGateway.length >= 3) return;
    if (this.left.pushes > 0) yield ["gateway pushes", (world) => world.push()];
    if (this.left.garbage === 0) return;
    for (const [name, body] of GARBAGE) yield [`gateway sends ${name}`, (world) => world.sendGarbage(body)];
  }

  // ——— the caller ———

  private send(): void {
    const { length } = this.statuses;
    const ticket = TICKETS[length] as Ticket;
    this.statuses.push({
      name: ticket.name,
      settled: "",
      writes: 0,
      reconnections: 0,
      since: undefined,
      writtenAt: undefined,
    });
    this.feed(() => {
      // A client that is destroyed takes no status.
      if (this.device.state === "destroyed") return this.settle(this.statuses[length] as StatusRecord, "refused");
      const refusal = this.device.send(Uint8Array.of(length), TIMEOUT_MS, ticket);
      const record = this.statuses[length];
      if (refusal !== undefined && record !== undefined) this.settle(record, "refused");
    });
  }

  private abort(at: number): void {
    const record = this.statuses[at] as StatusRecord;
    const netBefore = this.net;
    const wasWaiting = record.since === undefined;
    const wasWritten = record.writtenAt !== undefined;
    this.spend("aborts");
    this.mayClose = true;
    this.feed(() => this.device.abort(TICKETS[at] as Ticket, "no longer needed", this.now));
    if (this.isPumping || this.call !== undefined) return;
    if (record.settled === "") this.violate("an abort did not settle its status");
    if (wasWaiting && this.net !== netBefore) this.violate("aborting a waiting status touched the connection");
    if (wasWritten && this.net === netBefore) this.violate("an aborted status was sent and its connection stays");
  }

  private destroy(): void {
    this.mayClose = true;
    this.feed(() => this.device.destroy(this.now));
  }

  // ——— time ———

  /** How long the process has run: only this counts for a limit. */
  private get ran(): number {
    return this.now - this.stalledMs;
  }

  /** How much longer the process has to run before a limit may strike. */
  private get limitLeft(): number {
    return WITHOUT_LIMIT.includes(this.device.state) ? 0 : Math.max(0, this.limitedUntil - this.ran);
  }

  private timer(): void {
    const { deadline } = this.device;
    if (deadline === undefined || deadline > this.now) return;
    if (this.limitLeft > 0) this.violate("a limit struck before the process had run for so long");
    this.mayClose = true;
    this.feed(() => this.device.deadlinePassed(this.now));
  }

  /** As the client does: it notices before it looks at anything that came meanwhile. */
  private freeze(): void {
    this.spend("freezes");
    this.now += FREEZE_MS;
    this.stalledMs += FREEZE_MS;
    this.device.postpone(FREEZE_MS);
  }

  // ——— the network ———

  private open(): void {
    (this.net as Net).isUp = true;
    this.feed(() => this.device.opened(this.now));
  }

  private close(end: string): void {
    this.net = undefined;
    this.feed(() => this.device.closed(end === "closed" ? undefined : new Error(end), this.now));
  }

  /** One chunk: that many whole messages, the rest of one that had begun included, and perhaps the first half of the next. */
  private receive(whole: number, andHalf: boolean): void {
    const net = this.net as Net;
    this.chunks++;
    const arrived = net.fromGateway.splice(0, whole);
    const half = andHalf ? net.fromGateway[0] : undefined;
    const parts = arrived.map(({ hex, began }) => hex.slice(began > 0 ? 2 * HALF_BYTES : 0));
    for (const message of [...arrived, ...(half === undefined ? [] : [half])]) message.began ||= this.chunks;
    if (half !== undefined) parts.push(half.hex.slice(0, 2 * HALF_BYTES));
    const chunk = new Uint8Array(Buffer.from(parts.join(""), "hex"));
    this.expected = arrived;
    this.feed(() => this.device.received(chunk, chunk.length));
    const missed = this.expected.find((message) => message.number > 0);
    if (missed !== undefined && this.net === net)
      this.violate(`command ${missed.number} arrived and was not delivered`);
    this.expected = [];
  }

  /** What has arrived in the present chunk and was not looked at yet. */
  private expected: Message[] = [];

  // ——— the gateway ———

  private hangUp(end: "closed" | "reset"): void {
    const net = this.net as Net;
    this.spend("drops");
    net.end = end;
    if (end === "reset") net.fromGateway = [];
  }

  private accept(): void {
    const net = this.net as Net;
    net.toGateway.shift();
    net.isAccepted = true;
    this.transmit(ACCEPTED);
  }

  private refuse(type: number): void {
    const net = this.net as Net;
    net.toGateway.shift();
    net.isSpoilt = true;
    this.transmit(`0a${length(`080${type}12${length(DEVICE_BYTES)}`)}`);
    if (type === 1 || type === 4) net.end = "closed";
  }

  private answer(isAnswered: boolean): void {
    (this.net as Net).toGateway.shift();
    if (isAnswered) this.transmitCommand();
  }

  private push(): void {
    this.spend("pushes");
    this.transmitCommand();
  }

  private sendGarbage(body: string): void {
    const net = this.net as Net;
    this.spend("garbage");
    net.isSpoilt = true;
    if (body === ACCEPTED) net.isAccepted = true; // on the wire it is one, asked for or not
    this.transmit(body);
  }

  private transmitCommand(): void {
    const number = ++this.commands;
    this.transmit(commandTo(DEVICE_BYTES, number), number);
  }

  private transmit(body: string, number = 0): void {
    const hex = body === EMPTY ? "00000000" : framed(body);
    (this.net as Net).fromGateway.push({ hex, number, began: 0 });
  }

  private spend(what: keyof Bounds): void {
    this.left = { ...this.left, [what]: this.left[what] - 1 };
  }

  // ——— carrying out ———

  private isPumping = false;

  private feed(input: () => void): void {
    input();
    this.pump();
  }

  private pump(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    for (let effect = this.device.next(this.now); effect !== undefined; effect = this.device.next(this.now)) {
      if (this.call?.before === this.effects++) this.call.act(this);
      this.perform(effect);
      if (this.effects > 1_000) return this.violate("it does not come to rest");
    }
    this.isPumping = false;
    const inFlight = this.statuses.find(({ settled, since }) => settled === "" && since !== undefined);
    if (inFlight === undefined) this.firstRefusalAt = undefined;
  }

  private perform(effect: Effect<Ticket>): void {
    if (this.hasEnded) this.violate(`${effect.kind} after the end`);
    switch (effect.kind) {
      case "open":
        return this.onOpen();
      case "write":
        return this.onWrite(effect.ticket);
      case "close":
        return this.onClose();
      case "connected":
        if (this.connectOutcome !== "") this.violate("connected twice");
        this.connectOutcome = "connected";
        return;
      case "reconnected":
        return this.onReconnected();
      case "refused":
        if (effect.willAskAgain) this.firstRefusalAt ??= this.ran;
        this.isLossReported = true;
        return;
      case "command":
        return this.onCommand(effect.command[0] ?? 0, effect.ticket);
      case "failed":
        return this.onFailed(effect.ticket, effect.failure.code);
      case "dropped":
        this.droppedAt = this.now;
        this.isLossReported = true;
        return this.leave();
      case "ignored":
        return;
      case "ended":
        return this.onEnded(effect);
    }
  }

  private onOpen(): void {
    if (this.net !== undefined) this.violate("opened beside a connection");
    if (this.connectOutcome === "" && this.connections > 0) this.violate("a first connect was tried again");
    this.connections++;
    this.isLossReported = false;
    if (this.now - this.droppedAt < LIMITS.reconnectPauseMs) this.violate("reconnected without a pause");
    const { ran, firstRefusalAt } = this;
    if (firstRefusalAt !== undefined && ran - firstRefusalAt > LIMITS.askAgainForMs) {
      this.violate("asked again for too long");
    }
    // Asking again takes from the limit of the whole reconnection.
    this.limitedUntil = firstRefusalAt === undefined ? ran + LIMITS.connectTimeoutMs : ran;
    this.net = { isUp: false, isAccepted: false, isSpoilt: false, toGateway: [], fromGateway: [], end: "" };
    for (const status of this.statuses) status.writtenAt = undefined;
  }

  private onWrite(ticket: Ticket | undefined): void {
    if (this.net?.isUp !== true) return this.violate("wrote without a connection");
    if (ticket === undefined) {
      this.net.toGateway.push("connect");
      return;
    }
    const status = this.record(ticket);
    if (!this.net.isAccepted) this.violate("a status was sent before the device was accepted");
    if (status.settled !== "") this.violate("a settled status was sent");
    if (status.writtenAt !== undefined) this.violate("a status was sent twice on one connection");
    if (++status.writes > 2) this.violate("a status was sent more than twice");
    if (this.statuses.some((other) => other !== status && other.settled === "" && other.since !== undefined)) {
      this.violate("two statuses in flight");
    }
    if (this.statuses.some((other) => other.name < status.name && other.settled === "")) {
      this.violate("a status was sent before an earlier one");
    }
    status.since ??= this.ran;
    status.writtenAt = this.chunks;
    this.limitedUntil = this.ran + TIMEOUT_MS;
    this.net.toGateway.push(status.name);
  }

  private onClose(): void {
    if (this.net === undefined) this.violate("closed without a connection");
    else if (!this.net.isSpoilt && !this.mayClose) this.violate("a sound connection was closed");
    this.leave();
  }

  private onReconnected(): void {
    const status = this.statuses.find(({ settled }) => settled === "");
    if (status === undefined) return this.violate("reconnected for nothing");
    if (++status.reconnections > 2) this.violate("more than two reconnections for one status");
    this.firstRefusalAt = undefined;
  }

  private onCommand(number: number, ticket: Ticket | undefined): void {
    if (this.net === undefined) this.violate("a command of a connection that is gone was delivered");
    const at = this.expected.findIndex((message) => message.number > 0);
    const message = this.expected[at];
    if (message?.number !== number) return this.violate(`command ${number} was delivered out of order, or twice`);
    this.expected.splice(0, at + 1);
    this.latest = number;
    if (ticket === undefined) return;
    const status = this.record(ticket);
    if (status.writtenAt === undefined)
      this.violate("a command completed a status that was not sent on its connection");
    else if (message.began <= status.writtenAt)
      this.violate("a command completed a status sent after it had begun to arrive");
    this.settle(status, "command");
  }

  private onFailed(ticket: Ticket, code: string): void {
    const status = this.record(ticket);
    if (!STATUS_CODES.has(code)) this.violate(`a status failed with ${code}`);
    if (status.writtenAt !== undefined && this.net !== undefined)
      this.violate("a status failed and its connection stays");
    this.settle(status, code);
  }

  private onEnded({ failure, inFlight, waiting }: Extract<Effect<Ticket>, { kind: "ended" }>): void {
    this.leave();
    if (this.connectOutcome === "") {
      this.connectOutcome = failure?.code ?? "destroyed";
      if (failure !== undefined && !CONNECT_CODES.has(failure.code))
        this.violate(`connect failed with ${failure.code}`);
    }
    if (failure?.code === "TIMEOUT_OCCURRED" && inFlight !== undefined && this.record(inFlight).writes < 2) {
      this.violate("a status was given up after one attempt");
    }
    for (const ticket of [...(inFlight === undefined ? [] : [inFlight]), ...waiting]) {
      this.settle(this.record(ticket), failure?.code ?? "destroyed");
    }
    this.hasEnded = true;
  }

  private leave(): void {
    this.net = undefined;
    for (const status of this.statuses) if (status.settled === "") status.writtenAt = undefined;
  }

  private settle(status: StatusRecord, how: string): void {
    if (status.settled !== "") this.violate(`status ${status.name} was settled twice`);
    status.settled = how;
    status.since ??= this.ran;
    this.checkAge(status);
  }

  private record({ name }: Ticket): StatusRecord {
    return this.statuses.find((status) => status.name === name) as StatusRecord;
  }

  // ——— what must hold whenever the device is at rest ———

  private check(): void {
    const { device, net } = this;
    const { state, deadline } = device;
    if (WITH_CONNECTION.includes(state) !== (net !== undefined)) {
      this.violate(`${state} ${net === undefined ? "without" : "with"} a connection`);
    }
    if (WITHOUT_DEADLINE.includes(state) !== (deadline === undefined)) this.violate(`${state} until ${deadline}`);
    if ((state === "destroyed") !== this.hasEnded) this.violate("destroyed and not ended, or the other way round");
    if (state === "down" && !this.isLossReported) this.violate("a lost connection was not reported");
    const open = this.statuses.filter(({ settled }) => settled === "");
    if (this.hasEnded && open.length > 0) this.violate("ended with a status unsettled");
    if (open.length > 0 && WITHOUT_DEADLINE.includes(state)) this.violate(`a status waits while ${state}`);
    if (this.latest > 0 && !this.hasEnded && device.latestCommand?.[0] !== this.latest) {
      this.violate("the latest command is not the one delivered last");
    }
    // A status's turn begins at the latest when nothing before it is open.
    const [first] = open;
    if (first !== undefined && this.connectOutcome === "connected") first.since ??= this.ran;
    for (const status of open) this.checkAge(status);
  }

  /** If only time passes, everything is settled. */
  checkThatItSettles(): void {
    for (let step = 0; this.device.deadline !== undefined; step++) {
      if (step > 50) return this.violate("it does not settle by time alone");
      this.now = Math.max(this.now, this.device.deadline);
      this.timer();
    }
    if (this.statuses.some(({ settled }) => settled === "")) this.violate("a status is not settled by time alone");
  }

  private checkAge({ name, since }: StatusRecord): void {
    // Deadlines of both attempts are rounded up.
    if (since !== undefined && this.ran - since > BOUND_MS + 2) {
      this.violate(`status ${name} took ${this.ran - since} ms of ${BOUND_MS}`);
    }
  }

  violate(what: string): void {
    this.violation ??= what;
  }
}

const EMPTY = "empty";
const ACCEPTED = `0a${length(`12${length(DEVICE_BYTES)}`)}`;

function length(content: string): string {
  return (content.length / 2).toString(16).padStart(2, "0") + content;
}

function commandTo(device: string, number: number): string {
  return `12${length(`0a${length(device)}1201${number.toString(16).padStart(2, "0")}`)}`;
}

const GARBAGE: readonly (readonly [name: string, body: string])[] = [
  ["a command to another device", commandTo(OTHER_BYTES, 0xfe)],
  ["a command to nobody", "1203120107"],
  ["a connect response", ACCEPTED],
  ["a connect response to another device", `0a${length(`12${length(OTHER_BYTES)}`)}`],
  ["an unknown response", `0a${length(`086312${length(DEVICE_BYTES)}`)}`],
  ["bytes that are no message", "ffff"],
  ["an empty frame", EMPTY],
];
