import { Buffer } from "node:buffer";
import { InternalClient } from "../../generated/internal_protocol.js";
import { commandFrame, connectResponseFrame } from "../../lib/testing/frames.js";
import { Command } from "./command-invariants.js";
import type { VirtualSocket } from "./socket.js";
import type { World } from "./world.js";

export const DEVICE = { module: 1000, deviceType: 0, deviceRole: "left", deviceName: "button1", priority: 0 };

const OK = 0;
const ALREADY_CONNECTED = 1;
/** For so long the genuine gateway keeps the place of a device that left a status unanswered. */
const PLACE_KEPT_MS = 250;
/** After so long the genuine gateway notices that a connection is cut. */
const CUT_NOTICED_MS = 30_000;

/** What the gateway as a whole does: its restarts, and the device's place. */
export class Gateway {
  placeKeptUntil = 0;
  readonly connections = new Set<GatewayConnection>();
  private downUntil = 0;

  constructor(private readonly world: World) {}

  answerToDial(): "open" | "refused" | "silence" {
    const { loop, random, weather } = this.world;
    if (loop.now < this.downUntil) return "refused";
    return random.chance(weather.fault) ? random.pick(["refused", "silence", "open", "open"] as const) : "open";
  }

  restart(): void {
    const { loop, random } = this.world;
    this.downUntil = loop.now + random.pick([1, 5, 500, 10_000]) * random.next();
    const isReset = random.chance(0.5);
    for (const connection of [...this.connections]) connection.close(isReset);
  }
}

type Occasion = "accept" | "connect" | "status";

const MISDEEDS = [
  ...["silence", "close", "reset", "close later", "half-close", "restart", "cut", "another device", "no device"],
  ...["garbage", "length 0", "too long", "second response", "refuse", "another device's response", "half a message"],
] as const;

/** The gateway's end of one connection. */
export class GatewayConnection {
  private buffer = Buffer.alloc(0);
  private isClosed = false;
  private isHalfClosed = false;
  private hasIntroduced = false;
  private isAccepted = false;
  private isRefused = false;
  private unanswered = 0;
  private sentCommands = 0;
  /** Something has gone out that breaks the protocol: what follows is no command any more. */
  private isSpoilt = false;

  constructor(
    private readonly world: World,
    private readonly socket: VirtualSocket,
  ) {
    world.gateway.connections.add(this);
    if (world.random.chance(world.weather.fault)) this.misbehave("accept");
  }

  received(item: Uint8Array | "end"): void {
    if (item === "end") return this.leave();
    if (this.isRefused) this.world.invariants.violated("a refused device went on to send");
    if (this.isClosed) return;
    this.buffer = Buffer.concat([this.buffer, item]);
    for (let body = this.nextBody(); body !== undefined; body = this.nextBody()) this.take(body);
  }

  /** In order, or by a reset. */
  close(isReset: boolean): void {
    if (this.isClosed) return;
    this.leave();
    if (isReset) this.socket.reset();
    else this.socket.finish();
  }

  private leave(): void {
    const { gateway, loop } = this.world;
    if (this.isClosed) return;
    this.isClosed = true;
    gateway.connections.delete(this);
    if (this.unanswered > 0) gateway.placeKeptUntil = loop.now + PLACE_KEPT_MS;
  }

  private nextBody(): Buffer | undefined {
    if (this.buffer.length < 4) return undefined;
    const end = 4 + this.buffer.readUInt32LE();
    if (this.buffer.length < end) return undefined;
    const body = this.buffer.subarray(4, end);
    this.buffer = this.buffer.subarray(end);
    return body;
  }

  private take(body: Buffer): void {
    const message = InternalClient.decode(body).MessageType;
    if (message?.$case === "deviceConnect") this.onConnect();
    else if (message?.$case === "deviceStatus") this.onStatus(Buffer.from(message.value.statusData));
    else this.world.invariants.violated("what reached the gateway is no message");
  }

  private onConnect(): void {
    const { random, weather, gateway, loop, invariants } = this.world;
    if (this.hasIntroduced) invariants.violated("a device introduced itself twice on one connection");
    this.hasIntroduced = true;
    if (random.chance(weather.fault)) return this.misbehave("connect");
    if (loop.now < gateway.placeKeptUntil || gateway.connections.size > 1) return this.refuse(ALREADY_CONNECTED);
    if (random.chance(weather.push)) this.sendCommand(); // before the response
    this.after(2 * random.next(), () => {
      this.accept();
      this.pushNowAndThen();
    });
  }

  private onStatus(status: Buffer): void {
    const { random, weather, invariants } = this.world;
    if (!this.isAccepted) invariants.violated("a status was sent before the device was accepted");
    invariants.statuses.reachedGateway(status);
    this.unanswered += 1;
    if (random.chance(weather.fault)) return this.misbehave("status");
    if (random.chance(weather.push)) this.sendCommand();
    this.after(random.pick([0, 3, 3, 3, 260]) * random.next(), () => {
      this.unanswered -= 1;
      this.sendCommand();
    });
  }

  private accept(): void {
    this.isAccepted = true;
    this.send(connectResponseFrame(DEVICE, OK));
  }

  private refuse(responseType: number): void {
    this.isRefused = this.hasIntroduced && !this.isAccepted;
    this.send(connectResponseFrame(DEVICE, responseType));
    this.close(false);
  }

  private pushNowAndThen(): void {
    const { random, weather } = this.world;
    if (weather.push === 0) return;
    this.after((random.next() * 20_000) / weather.push, () => {
      this.sendCommand();
      this.pushNowAndThen();
    });
  }

  private sendCommand(): void {
    const { random, invariants } = this.world;
    const fill = "c".repeat(random.chance(0.9) ? random.between(0, 20) : random.between(0, 100_000));
    const command = new Command(invariants.commands.nextNumber(), this.socket.number, ++this.sentCommands, fill);
    const device = random.chance(0.8) ? DEVICE : { ...DEVICE, deviceName: random.pick(["", "other", "button1 "]) };
    if (!this.isSpoilt) invariants.commands.sent(command);
    this.send(commandFrame(device, command.bytes), this.isSpoilt ? undefined : command);
  }

  private send(bytes: Uint8Array, command?: Command): void {
    if (!this.isClosed && !this.isHalfClosed) this.socket.deliver(bytes, command);
  }

  private spoil(hex: string): void {
    this.isSpoilt = true;
    this.send(Buffer.from(hex, "hex"));
  }

  private after(milliseconds: number, action: () => void): void {
    const { loop } = this.world;
    loop.at(loop.now + milliseconds, () => this.isClosed || action());
  }

  private misbehave(occasion: Occasion): void {
    const { random, journal, gateway, loop } = this.world;
    const misdeed = random.pick(MISDEEDS);
    journal.note(`socket ${this.socket.number}, the gateway at ${occasion}: ${misdeed}`);
    switch (misdeed) {
      case "silence":
        return;
      case "close":
        return this.close(false);
      case "reset":
        return this.close(true);
      case "close later":
        return this.after(PLACE_KEPT_MS, () => this.close(false));
      case "half-close":
        this.isHalfClosed = true;
        return this.socket.finish();
      case "restart":
        return gateway.restart();
      case "cut":
        this.socket.cut();
        return loop.at(loop.now + CUT_NOTICED_MS, () => this.leave());
      case "another device":
        return this.send(commandFrame({ ...DEVICE, deviceRole: "right" }, Buffer.from("1")));
      case "no device":
        return this.spoil("05000000" + "1203120131");
      case "garbage":
        return this.spoil("03000000" + "ffffff");
      case "length 0":
        return this.spoil("00000000");
      case "too long":
        return this.spoil("ffffffff00");
      case "half a message":
        return this.spoil("0a000000" + "aabb");
      case "second response":
        return this.accept();
      case "refuse":
        return this.refuse(random.pick([1, 1, 1, 2, 3, 4, 9]));
      case "another device's response":
        return this.send(connectResponseFrame({ ...DEVICE, module: 3 }, OK));
    }
  }
}
