import type { Random } from "../random.js";
import { CommandRules } from "./command-rules.js";
import { Gateway, type Accepted, type Command, type Trouble } from "./gateway.js";
import { Judge } from "./judge.js";
import type { Surroundings } from "./library.js";
import type { Mood } from "./moods.js";
import { Network } from "./network.js";
import { momentOf, StatusRules, type Moment } from "./status-rules.js";
import { VirtualProcess } from "./virtual-process.js";
import { VirtualSocket, type Message, type SocketObserver, type SocketOptions } from "./virtual-socket.js";
import { WorldClock } from "./world-clock.js";

type GatewayMessage = Command | Accepted | Trouble;

const RECONNECT_PAUSE_MS = 2;
const ASK_AGAIN_FOR_MS = 350;
const ASK_AGAIN_EVERY_MS = 5;

interface Connection {
  readonly begun: Moment;
  isAccepted: boolean;
  sawBreach: boolean;
  /** The codes that what was read on it excuses; half a frame is found out only by what comes next. */
  readonly excused: Set<string>;
}

/** One device's process, its network and its gateway, and the rules that watch over them. */
export class World implements Surroundings, SocketObserver {
  readonly clock = new WorldClock();
  readonly judge = new Judge(() => this.clock.now);
  readonly process: VirtualProcess;
  readonly network: Network;
  readonly gateway: Gateway;
  readonly statuses: StatusRules;
  readonly commands: CommandRules;
  readonly slowWrites: number;
  readonly observer = this;
  connections = 0;
  /** When a connection of the present client's ended. */
  lastEndedAt = -Infinity;
  /** When the gateway refused the device as already connected, first in this reconnection. */
  private askingSince: Moment | undefined;
  /** The gateway has accepted the device, and no drop was reported since. */
  isConnected = false;
  /** Set by the device's life. */
  isEnded = false;
  isDestroying = false;
  /** A call of the device's in this callback may have closed the connection. */
  hasInterfered = false;
  /** In this callback the process has learnt that its connection is lost. */
  private hasLostConnection = false;
  /** Called when the latest command is another one. */
  onNewCommand: () => void = () => undefined;

  private readonly known = new WeakMap<VirtualSocket, Connection>();
  private readonly excuses = new Map<string, number>();

  constructor(
    readonly random: Random,
    readonly mood: Mood,
  ) {
    const { clock, judge } = this;
    this.slowWrites = mood.slowWrites;
    this.process = new VirtualProcess(clock, random, mood.freezes);
    this.process.onFreeze = (milliseconds) => judge.note(`the process does not run for ${milliseconds.toFixed(1)} ms`);
    this.process.onThrown = (thrown) => judge.violate(`it threw: ${(thrown as Error).stack ?? String(thrown)}`);
    this.process.afterCallback = () => this.check();
    this.network = new Network(clock, random, mood.network, (milliseconds) =>
      judge.note(`the network is partitioned for ${milliseconds.toFixed(1)} ms`),
    );
    this.gateway = new Gateway(this, mood.gateway);
    this.commands = new CommandRules(judge);
    this.statuses = new StatusRules(judge, this.process, {
      connectTimeoutMs: mood.connectTimeoutMs,
      isHarmless: mood.name === "frozen",
      isEnded: () => this.isEnded,
      isDestroying: () => this.isDestroying,
      lastExcuse: (code) => this.lastExcuse(code),
    });
  }

  // ——— what the library finds in place of Node ———

  connect(options: SocketOptions): VirtualSocket {
    if (this.clock.now - this.lastEndedAt < RECONNECT_PAUSE_MS) this.violate("it reconnected without a pause");
    if (this.isConnected) this.violate("a connection was given up, and no drop reported");
    if (this.asksTooLong()) this.violate("it asked again for too long");
    const socket = new VirtualSocket(++this.connections, options, this);
    this.known.set(socket, { begun: this.moment(), isAccepted: false, sawBreach: false, excused: new Set() });
    this.judge.note(`connection ${socket.number} is begun`);
    return socket;
  }

  accept(socket: VirtualSocket) {
    return this.gateway.accept(socket);
  }

  // ——— what passes between the library and its sockets ———

  written(socket: VirtualSocket, frame: Uint8Array): void {
    if (this.known.get(socket)?.sawBreach === true) this.violate("it wrote to a gateway that had broken the protocol");
    this.statuses.written(socket, frame);
  }

  read(socket: VirtualSocket, whole: readonly Message[]): void {
    const connection = this.known.get(socket);
    for (const message of whole as readonly GatewayMessage[]) {
      if (message.kind === "command") this.commands.read(socket, message);
      if (message.kind === "accepted" && connection !== undefined) this.accepted(connection);
      if (message.kind !== "trouble" || connection === undefined) continue;
      // What comes after half a frame belongs to that frame.
      const isWhole = connection.excused.size === 0;
      if (isWhole && message.codes.includes("DEVICE_ALREADY_CONNECTED")) this.noteAsking();
      message.codes.forEach((code) => connection.excused.add(code));
      connection.sawBreach ||= isWhole && message.isBreach;
    }
    connection?.excused.forEach((code) => this.excuse(code));
  }

  endedByPeer(socket: VirtualSocket): void {
    this.lastEndedAt = this.clock.now;
    this.hasLostConnection = this.known.get(socket)?.isAccepted === true;
    this.excuse("UNABLE_TO_CONNECT");
  }

  /** Without another reason, only a limit may make the client close. */
  closedByClient(socket: VirtualSocket): void {
    const connection = this.known.get(socket);
    this.lastEndedAt = this.clock.now;
    if (connection === undefined || this.hasInterfered) return;
    if (connection.excused.size > 0) return this.excuse("UNABLE_TO_CONNECT"); // half a frame, and then a limit
    this.judge.note(`the client closes connection ${socket.number} for a limit`);
    if (connection.isAccepted) return this.checkStatusLimit(socket);
    this.excuse("UNABLE_TO_CONNECT");
    const turn = this.statuses.open[0]?.turn;
    // Asking again takes from the limit of the whole reconnection.
    if (turn !== undefined && this.lastExcuse("DEVICE_ALREADY_CONNECTED") >= turn.at) return;
    const begun = { ...connection.begun, freezes: turn?.freezes ?? connection.begun.freezes };
    this.statuses.checkLimit(begun, this.mood.connectTimeoutMs, socket, "a connection attempt");
  }

  violate(what: string): void {
    this.judge.violate(what);
  }

  note(event: string): void {
    this.judge.note(event);
  }

  // ——— what the gateway reports ———

  statusArrived(text: string): void {
    this.statuses.arrived(text);
  }

  commandSent(command: Command): void {
    this.commands.sent(command);
  }

  // ——— what must be so at the end ———

  checkNothingIsLeft(): void {
    const { timers, immediates, sockets } = this.process;
    if (timers.size > 0) this.violate(`${timers.size} timers are left`);
    if (immediates.size > 0) this.violate(`${immediates.size} immediates are left`);
    if (sockets.size > 0) this.violate(`${sockets.size} sockets are left`);
  }

  private accepted(connection: Connection): void {
    connection.isAccepted = true;
    this.isConnected = true;
    this.askingSince = undefined;
  }

  /** When the turn came of the status that a connection is for. An aborted one settles only after the present callback. */
  private get turn(): Moment | undefined {
    return this.statuses.open.find(({ isAborted }) => !isAborted)?.turn;
  }

  private noteAsking(): void {
    const { turn } = this;
    if (this.askingSince === undefined || turn === undefined || this.askingSince.at <= turn.at) {
      this.askingSince = this.moment();
    }
  }

  private asksTooLong(): boolean {
    const { askingSince: since, clock, process, turn } = this;
    if (since === undefined || turn === undefined || since.at <= turn.at) return false;
    return clock.now - since.at - (process.frozenMs - since.frozenMs) > ASK_AGAIN_FOR_MS + ASK_AGAIN_EVERY_MS;
  }

  private checkStatusLimit(socket: VirtualSocket): void {
    const { inFlight } = this.statuses;
    const isWaiting = inFlight !== undefined && inFlight.outcome === undefined;
    if (isWaiting && inFlight.writes.at(-1)?.socket === socket.number) this.statuses.gaveUp(socket);
    else this.violate("it closed a sound connection for no reason");
  }

  private check(): void {
    this.statuses.check();
    if (this.commands.check()) this.onNewCommand();
    if (this.hasLostConnection && this.isConnected && !this.isEnded)
      this.violate("a connection was lost, and no drop reported");
    this.hasLostConnection = false;
    this.hasInterfered = false;
  }

  private excuse(code: string): void {
    this.excuses.set(code, this.clock.now);
  }

  private lastExcuse(code: string): number {
    return this.excuses.get(code) ?? -Infinity;
  }

  private moment(): Moment {
    return momentOf(this.process, this.clock.now);
  }
}
