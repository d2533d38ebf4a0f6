import {
  InternalClient,
  InternalServer,
  type Device,
  type DeviceConnectResponse_ResponseType,
} from "../../generated/internal_protocol.js";
import type { Random } from "../random.js";
import type { Message, Peer, VirtualSocket } from "./virtual-socket.js";
import type { WorldClock } from "./world-clock.js";

export const DEVICE: Device = { module: 1000, deviceType: 0, deviceRole: "left", deviceName: "button1", priority: 0 };
const OTHER_DEVICE: Device = { ...DEVICE, deviceRole: "right" };

export interface GatewayHabits {
  /** The probability that it misbehaves, at each connection, connect and status. */
  readonly faults: number;
  readonly pushes: number;
  readonly restartsPerHour: number;
}

/** A command that the gateway sent, as the rules know it. */
export interface Command extends Message {
  readonly kind: "command";
  readonly number: number;
  readonly text: string;
  readonly socket: number;
  /** Its place among the commands of its connection, from 1. */
  readonly index: number;
}

/** A connect response that accepts the device. */
export interface Accepted extends Message {
  readonly kind: "accepted";
}

/** What breaks the protocol or refuses the device, and the codes that it excuses. */
export interface Trouble extends Message {
  readonly kind: "trouble";
  readonly codes: readonly string[];
  /** Whether no status may follow it on its connection. */
  readonly isBreach: boolean;
}

export interface GatewayWorld {
  readonly clock: WorldClock;
  readonly random: Random;
  note(event: string): void;
  violate(what: string): void;
  /** A status's text reached the gateway. */
  statusArrived(text: string): void;
  commandSent(command: Command): void;
}

/** After its last status a device is cut. */
const SILENCE_MS = 30_000;
/** An unanswered status keeps its device's place for so long. */
const MODULE_TIMEOUT_MS = 250;
const MAX_DOWN_MS = 5_000;

/** A module gateway that serves one device, and sometimes anything but that. */
export class Gateway {
  private downUntil = 0;
  private readonly peers = new Set<GatewayPeer>();
  /** The connection that holds the device's place. */
  holder: GatewayPeer | undefined;
  private commands = 0;

  constructor(
    readonly world: GatewayWorld,
    readonly habits: GatewayHabits,
  ) {
    this.scheduleRestart();
  }

  accept(socket: VirtualSocket): Peer | "refused" | undefined {
    const { clock, random } = this.world;
    if (clock.now < this.downUntil) return "refused";
    if (random.chance(this.habits.faults / 4)) return random.pick(["refused" as const, undefined]);
    const peer = new GatewayPeer(this, socket);
    this.peers.add(peer);
    return peer;
  }

  forget(peer: GatewayPeer): void {
    this.peers.delete(peer);
    if (this.holder === peer) this.holder = undefined;
  }

  nextCommandNumber(): number {
    return ++this.commands;
  }

  private scheduleRestart(): void {
    const { restartsPerHour } = this.habits;
    const { clock, random } = this.world;
    if (restartsPerHour === 0) return;
    clock.after((2 * random.next() * 3_600_000) / restartsPerHour, () => {
      this.downUntil = clock.now + MAX_DOWN_MS * random.next();
      this.world.note("the gateway restarts");
      for (const peer of [...this.peers]) peer.close(random.chance(0.5));
      this.scheduleRestart();
    });
  }
}

const HALF_A_FRAME = hex("0a000000aabb");

type Fault = (peer: GatewayPeer, random: Random) => void;

const ALREADY_CONNECTED = 1;
const REFUSALS: Readonly<Record<number, string>> = {
  1: "DEVICE_ALREADY_CONNECTED",
  2: "MODULE_NOT_SUPPORTED",
  3: "DEVICE_TYPE_NOT_SUPPORTED",
  4: "HIGHER_PRIORITY_ALREADY_CONNECTED",
};

/** What a gateway may do instead of what it should. */
const FAULTS: Readonly<Record<string, Fault>> = {
  "is silent": () => undefined,
  closes: (peer) => peer.close(false),
  resets: (peer) => peer.close(true),
  "closes after 250 ms": (peer) => peer.later(MODULE_TIMEOUT_MS, () => peer.close(false)),
  "half-closes": (peer) => peer.halfClose(),
  // What comes later completes it, and is then no message.
  "sends half a frame": (peer) => peer.oddity(HALF_A_FRAME, "COMMAND_INCORRECT"),
  "sends half a frame and closes": (peer) => {
    peer.oddity(HALF_A_FRAME, "COMMAND_INCORRECT");
    peer.close(false);
  },
  "sends a command for another device": (peer) => peer.oddity(commandFrame(OTHER_DEVICE, "1"), "DEVICE_INCORRECT"),
  "sends a command without a device": (peer) => peer.breach(hex("050000001203120141"), "DEVICE_INCORRECT"),
  "sends garbage": (peer) => peer.breach(hex("03000000ffffff"), "COMMAND_INCORRECT"),
  "announces nothing": (peer) => peer.breach(hex("00000000"), "COMMAND_INCORRECT"),
  "announces too much": (peer) => peer.breach(hex("ffffffff"), "COMMAND_INCORRECT"),
  "sends a field twice": (peer) => {
    const body = commandFrame(DEVICE, "1").subarray(4);
    peer.breach(framed(Buffer.concat([body, body])), "COMMAND_INCORRECT");
  },
  "accepts another device": (peer) => peer.breach(responseFrame(OTHER_DEVICE, 0), "DEVICE_INCORRECT"),
  "answers with an unknown response": (peer) => peer.breach(responseFrame(DEVICE, 9), "COMMAND_INCORRECT"),
  refuses: (peer, random) => peer.refuse(random.pick([1, 1, 1, 2, 3, 4])),
};
const FAULT_NAMES = Object.keys(FAULTS);

/** The gateway's end of one connection. */
class GatewayPeer implements Peer {
  private unread = Buffer.alloc(0);
  private isAccepted = false;
  private isClosed = false;
  private isHalfClosed = false;
  private sawConnect = false;
  private lastStatusAt: number | undefined;
  private answering = 0;
  private index = 0;

  constructor(
    private readonly gateway: Gateway,
    private readonly socket: VirtualSocket,
  ) {
    if (this.random.chance(gateway.habits.faults / 4)) this.later(0, () => this.misbehave("accept"));
  }

  receive(bytes: Uint8Array): void {
    if (this.isClosed) return;
    this.unread = Buffer.concat([this.unread, bytes]);
    while (this.unread.length >= 4) {
      const end = 4 + this.unread.readUInt32LE();
      if (this.unread.length < end) return;
      const body = this.unread.subarray(4, end);
      this.unread = this.unread.subarray(end);
      const message = InternalClient.decode(body).MessageType;
      if (message?.$case === "deviceConnect") this.onConnect();
      else if (message?.$case === "deviceStatus") this.onStatus(latin1(message.value.statusData));
      else this.world.violate("a frame that is no message reached the gateway");
    }
  }

  /** The real gateway notices at once, but for a status that its module works on; behind a silent network it does not. */
  clientGone(): void {
    const { random, gateway, world } = this;
    const keepsPlace = random.chance(gateway.habits.faults);
    if (keepsPlace) world.clock.after(SILENCE_MS * random.next(), () => this.retire());
    else if (this.answering > 0) world.clock.after(MODULE_TIMEOUT_MS, () => this.retire());
    else this.retire();
  }

  close(isReset: boolean): void {
    if (this.isClosed) return;
    this.retire();
    if (!this.isHalfClosed) this.socket.finish(isReset);
  }

  halfClose(): void {
    if (this.isClosed || this.isHalfClosed) return;
    this.isHalfClosed = true;
    this.socket.finish(false);
  }

  send(message: Message): void {
    if (!this.isClosed && !this.isHalfClosed) this.socket.deliver(message);
  }

  breach(bytes: Uint8Array, ...codes: readonly string[]): void {
    const breach: Trouble = { kind: "trouble", bytes, codes, isBreach: true };
    this.send(breach);
  }

  /** What may do no harm: it depends on what the device waits for, or on what comes next. */
  oddity(bytes: Uint8Array, ...codes: readonly string[]): void {
    const oddity: Trouble = { kind: "trouble", bytes, codes, isBreach: false };
    this.send(oddity);
  }

  /** For these two the real gateway closes; after another refusal it keeps the socket and the place. */
  refuse(responseType: number): void {
    // Where a command is due, a response of any kind breaks the protocol.
    this.breach(responseFrame(DEVICE, responseType), REFUSALS[responseType] ?? "", "COMMAND_INCORRECT");
    if (responseType === ALREADY_CONNECTED || responseType === 4) this.close(false);
  }

  later(milliseconds: number, happen: () => void): void {
    this.world.clock.after(milliseconds, () => {
      if (!this.isClosed) happen();
    });
  }

  private onConnect(): void {
    const { random, gateway } = this;
    if (this.sawConnect) this.world.violate("a second connect came on one connection");
    this.sawConnect = true;
    if (gateway.holder !== undefined) return this.refuse(ALREADY_CONNECTED);
    gateway.holder = this;
    if (random.chance(gateway.habits.faults)) return this.misbehave("connect");
    if (random.chance(gateway.habits.pushes)) this.command(); // the late answer to a former status
    this.later(2 * random.next(), () => {
      this.isAccepted = true;
      const accepted: Accepted = { kind: "accepted", bytes: responseFrame(DEVICE, 0) };
      this.send(accepted);
      if (random.chance(gateway.habits.pushes)) this.command();
      this.schedulePush();
    });
  }

  private onStatus(text: string): void {
    const { random, gateway, world } = this;
    if (!this.isAccepted) world.violate("a status came before the connect was accepted");
    world.statusArrived(text);
    const at = world.clock.now;
    this.lastStatusAt = at;
    this.later(SILENCE_MS, () => this.lastStatusAt === at && this.close(false));
    if (random.chance(gateway.habits.pushes)) this.command();
    if (random.chance(gateway.habits.faults)) return this.misbehave("status");
    this.answering++;
    this.later(random.chance(0.05) ? (MODULE_TIMEOUT_MS - 10) * random.next() : 3 * random.next(), () => {
      this.answering--;
      this.command();
    });
  }

  private schedulePush(): void {
    const { pushes } = this.gateway.habits;
    if (pushes === 0) return;
    this.later((20_000 * this.random.next()) / pushes, () => {
      this.command();
      this.schedulePush();
    });
  }

  private command(): void {
    if (this.isClosed || this.isHalfClosed) return;
    const { random, gateway } = this;
    const number = gateway.nextCommandNumber();
    const fill = random.chance(0.95) ? random.between(0, 20) : random.between(0, random.pick([300, 20_000, 100_000]));
    const text = `${number}:${"c".repeat(fill)}`;
    const device = random.chance(0.8) ? DEVICE : { ...DEVICE, deviceName: random.pick(["", "other", "button1 "]) };
    const bytes = commandFrame(device, text);
    const command: Command = { kind: "command", number, text, bytes, socket: this.socket.number, index: ++this.index };
    this.world.commandSent(command);
    this.send(command);
  }

  private misbehave(when: string): void {
    const name = this.random.pick(FAULT_NAMES);
    this.world.note(`gateway, connection ${this.socket.number}, ${when}: it ${name}`);
    FAULTS[name]?.(this, this.random);
  }

  private retire(): void {
    this.isClosed = true;
    this.gateway.forget(this);
  }

  private get world(): GatewayWorld {
    return this.gateway.world;
  }

  private get random(): Random {
    return this.gateway.world.random;
  }
}

function commandFrame(device: Device, text: string): Uint8Array {
  const value = { device, commandData: Buffer.from(text, "latin1") };
  return framed(InternalServer.encode({ MessageType: { $case: "deviceCommand", value } }).finish());
}

function responseFrame(device: Device, responseType: number): Uint8Array {
  const value = { responseType: responseType as DeviceConnectResponse_ResponseType, device };
  return framed(InternalServer.encode({ MessageType: { $case: "deviceConnectResponse", value } }).finish());
}

function framed(body: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4);
  header.writeUInt32LE(body.length);
  return Buffer.concat([header, body]);
}

function hex(written: string): Uint8Array {
  return Buffer.from(written, "hex");
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
