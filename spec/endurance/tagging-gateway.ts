import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Random } from "../../scripts/fuzz/random.js";
import { writeTag, type Tag } from "../../scripts/soak/ledger.js";

// Module 1000, type 0, role "test", name "button1", priority 0, as they stand on the wire.
const BUTTON = Buffer.from("08e8071a04746573742207627574746f6e31", "hex");
const CONNECTED = Buffer.from("160000000a14121208e8071a04746573742207627574746f6e31", "hex");
export const button = { module: 1000, deviceType: 0, deviceRole: "test", deviceName: "button1" };

/** Header, tag and length of the status, tag and length of the device, the device, tag and length of the payload. */
const PAYLOAD_AT = 4 + 2 + 2 + BUTTON.length + 2;
const FIRST_BODY_BYTE_OF_CONNECT = 0x0a;

/** Each of these it does to a status now and then; the first by far the most often. */
const MOODS = [
  "answer",
  "answer in one write",
  "answer in pieces",
  "push before",
  "push after",
  "push on both sides in one write",
  "push in its place and answer later",
  "push in its place and answer at once",
  "answer and close",
  "answer and reset",
  "break off and close",
  "close",
  "reset",
  "stay silent and answer too late",
] as const;
type Mood = (typeof MOODS)[number];

const CALM_SHARE = 0.75;

/** A connection on which the device has said who it is. */
interface Line {
  readonly socket: Socket;
  readonly connection: number;
  sent: number;
  isInMidFrame: boolean;
}

/**
 * A gateway for one button, made of bytes alone, that misbehaves at random. Every command carries the connection that it
 * was sent on and its number there, so that nothing but the commands themselves is needed to see which one came late.
 */
export class TaggingGateway {
  /** While it is set, every status is answered at once and nothing is pushed. */
  isCalm = false;
  /** Commands that it has promised itself to send later. */
  owed = 0;

  private readonly server: Server = createServer({ noDelay: true }, (socket) => this.accept(socket));
  private readonly sockets = new Set<Socket>();
  /** On which the device connected last. */
  private current: Line | undefined;
  private mergedWrites = 0;
  private readonly mergedInto = new Map<string, number>();

  constructor(private readonly random: Random) {}

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** On which connection, counted from 1, the device connected last. */
  get connection(): number {
    return this.current?.connection ?? 0;
  }

  /** How many commands went out on that connection. */
  get sent(): number {
    return this.current?.sent ?? 0;
  }

  /** Whether that connection stands, as far as the gateway knows. */
  get hasDevice(): boolean {
    return this.current?.socket.writable === true;
  }

  /** In which write, of those that held several commands, the command went out; undefined when it went alone. */
  mergedWriteOf({ connection, sequence }: Pick<Tag, "connection" | "sequence">): number | undefined {
    return this.mergedInto.get(`${connection} ${sequence}`);
  }

  async start(): Promise<this> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return this;
  }

  async stop(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, "close");
  }

  async restart(): Promise<void> {
    const { port } = this;
    await this.stop();
    this.server.listen(port, "127.0.0.1");
    await once(this.server, "listening");
  }

  push(): void {
    if (this.current !== undefined) this.send(this.current, undefined);
  }

  drop(reset: boolean): void {
    if (reset) resetSocket(this.current?.socket);
    else this.current?.socket.destroy();
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket);
    let unread = Buffer.alloc(0);
    let line: Line | undefined;
    socket.on("data", (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      while (unread.length >= 4 && unread.length >= 4 + unread.readUInt32LE(0)) {
        const length = 4 + unread.readUInt32LE(0);
        const frame = unread.subarray(0, length);
        unread = unread.subarray(length);
        if (line === undefined) line = this.welcome(socket, frame);
        else this.take(line, Number(frame.subarray(PAYLOAD_AT).toString()));
      }
    });
    socket.on("error", () => undefined);
    socket.on("close", () => this.sockets.delete(socket));
  }

  private welcome(socket: Socket, frame: Buffer): Line {
    if (frame[4] !== FIRST_BODY_BYTE_OF_CONNECT) throw new Error("a status came before the connect");
    const line = { socket, connection: this.connection + 1, sent: 0, isInMidFrame: false };
    this.current = line;
    socket.write(CONNECTED);
    // Right behind the connect response, in the same segment or the next.
    if (!this.isCalm && this.random.chance(0.1)) this.send(line, undefined);
    return line;
  }

  private take(line: Line, status: number): void {
    // A command that was displaced may have completed the status whose own answer is still going out.
    if (line.isInMidFrame) return this.later(0, () => this.take(line, status));
    const mood = this.isCalm || this.random.chance(CALM_SHARE) ? "answer" : this.random.pick(MOODS);
    this.reply(line, status, mood);
  }

  private reply(line: Line, status: number, mood: Mood): void {
    const { socket } = line;
    switch (mood) {
      case "answer": {
        const frame = nextFrame(line, status);
        socket.write(frame.subarray(0, 4));
        socket.write(frame.subarray(4));
        return;
      }
      case "answer in one write":
        return this.send(line, status);
      case "answer in pieces":
        return void this.sendInPieces(line, nextFrame(line, status));
      case "push before":
        this.send(line, undefined);
        return this.send(line, status);
      case "push after":
        this.send(line, status);
        return this.send(line, undefined);
      case "push on both sides in one write":
        return this.sendMerged(line, [undefined, status, undefined]);
      case "push in its place and answer later":
        this.send(line, undefined);
        return this.later(this.random.between(1, 6), () => this.send(line, status));
      case "push in its place and answer at once":
        this.send(line, undefined);
        return this.later(0, () => this.send(line, status));
      case "answer and close":
        this.send(line, status);
        return void socket.end();
      case "answer and reset":
        this.send(line, status);
        return resetSocket(socket);
      case "break off and close":
        socket.write(nextFrame(line, status).subarray(0, this.random.between(1, 30)));
        return void socket.end();
      case "close":
        return void socket.end();
      case "reset":
        return resetSocket(socket);
      case "stay silent and answer too late":
        return this.later(this.random.between(52, 65), () => this.send(line, status));
    }
  }

  /** Sends a command, as long as the socket is open: also when the device has connected anew on another one. */
  private send(line: Line, answers: number | undefined): void {
    if (!line.socket.writable) return;
    if (line.isInMidFrame) this.later(0, () => this.send(line, answers));
    else line.socket.write(nextFrame(line, answers));
  }

  private sendMerged(line: Line, commands: readonly (number | undefined)[]): void {
    this.mergedWrites += 1;
    const frames = commands.map((answers) => {
      const frame = nextFrame(line, answers);
      this.mergedInto.set(`${line.connection} ${line.sent}`, this.mergedWrites);
      return frame;
    });
    line.socket.write(Buffer.concat(frames));
  }

  private async sendInPieces(line: Line, frame: Buffer): Promise<void> {
    this.owed += 1;
    line.isInMidFrame = true;
    for (let at = 0; at < frame.length && line.socket.writable;) {
      const end = at + this.random.between(1, 20);
      line.socket.write(frame.subarray(at, end));
      at = end;
      if (at < frame.length) await new Promise((resolve) => setImmediate(resolve));
    }
    line.isInMidFrame = false;
    this.owed -= 1;
  }

  private later(milliseconds: number, action: () => void): void {
    this.owed += 1;
    const act = (): void => {
      this.owed -= 1;
      action();
    };
    if (milliseconds > 0) setTimeout(act, milliseconds);
    else setImmediate(act);
  }
}

/** A reset in the middle of an orderly end would leave the handle open for good. */
function resetSocket(socket: Socket | undefined): void {
  if (socket?.writableEnded === true) socket.destroy();
  else socket?.resetAndDestroy();
}

function nextFrame(line: Line, answers: number | undefined): Buffer {
  line.sent += 1;
  const tag = writeTag({ device: "test", connection: line.connection, sequence: line.sent, answers });
  const device = [0x0a, BUTTON.length, ...BUTTON];
  const inner = [...device, 0x12, tag.length, ...tag];
  return Buffer.from([2 + inner.length, 0, 0, 0, 0x12, inner.length, ...inner]);
}
