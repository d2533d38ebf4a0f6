import { connect, isIP, type Socket } from "node:net";
import { platform } from "node:process";
import type { Duplex } from "node:stream";
import { types } from "node:util";
import { Dial, type Lookup } from "./dial.js";
import { checkedStream, destroyStream, openingEvent, type MaybeSocket } from "./foreign-stream.js";
import { clearTimeout, setTimeout } from "./timers.js";
import { toError } from "./to-error.js";

/** No event comes while the constructor or a method of the transport runs. */
export interface TransportEvents {
  opened(): void;
  /** The first `length` bytes of `chunk`; they may be written over once the call has returned. */
  received(chunk: Uint8Array, length: number): void;
  /** The connection ended, or could not be made. Without a cause, the gateway closed it (FIN). */
  closed(cause: Error | undefined): void;
}

/** What a transport connects to: a host and a port, or a stream that the user makes. */
export interface TransportTarget {
  readonly host: string;
  readonly port: number;
  readonly createConnection?: (() => Duplex) | undefined;
  /** For specs; default the system's. */
  readonly lookup?: Lookup;
}

const KEEP_ALIVE_AFTER_MS = 10_000;
/** The user's stream may never report that it is closed. */
const MAX_CLOSING_MS = 1_000;
const READ_BUFFER_BYTES = 64 * 1024;

let sharedReadBuffer: Uint8Array | undefined;

/**
 * Except on Windows, a read fills its buffer and hands it over within one turn, so all sockets can share one buffer, and
 * an idle socket costs no memory. Windows gives the buffer to the system before the read.
 */
function readBuffer(): Uint8Array {
  if (platform === "win32") return new Uint8Array(READ_BUFFER_BYTES);
  sharedReadBuffer ??= new Uint8Array(READ_BUFFER_BYTES);
  return sharedReadBuffer;
}

type Stream = Duplex & MaybeSocket;

/**
 * One connection. It goes through these states, in this order:
 *
 * - **opening**, from its construction: the host is looked up, one or more sockets connect, or the user's stream opens.
 *   What is written now is lost.
 * - **open**, from `opened` on: one stream is left. What arrives is reported by `received`, and frames can be written.
 * - **closed**, from `closed` or the call of `close` on, whichever is first: no event follows, and every stream is destroyed.
 * - **gone**, once `close` resolves: the system has released everything.
 *
 * No other code makes sockets.
 */
export class Transport {
  /** Undefined once it is closed. */
  private events: TransportEvents | undefined;
  /** Whether the user makes its stream. */
  private readonly isForeign: boolean;
  private dial: Dial | undefined;
  /** The open one. */
  private stream: Stream | undefined;
  /** Those that are not gone yet: more than one only while several addresses are attempted. */
  private streams: readonly Stream[] = [];
  private isRef = true;
  private gone: Promise<void> | undefined;
  private onGone: (() => void) | undefined;

  constructor(
    private readonly target: TransportTarget,
    events: TransportEvents,
  ) {
    this.events = events;
    const { host, createConnection } = target;
    this.isForeign = createConnection !== undefined;
    if (createConnection !== undefined) afterThisCall(() => this.isClosed || this.connectForeign(createConnection));
    else if (isIP(host) !== 0) this.connectToLiteral();
    else this.connectToName();
  }

  /** Hands a frame to the kernel, in one write: the gateway closes a connection if a header arrives in parts. */
  write(frame: Uint8Array): void {
    if (!this.isForeign) this.stream?.write(frame);
    // The user's code runs within this write: it may throw, or answer at once.
    else afterThisCall(() => this.attempt(() => this.stream?.write(frame)));
  }

  /** Whether the kernel has taken everything that was written, so that the bytes may be used again. */
  get isFlushed(): boolean {
    // The user's stream may keep the bytes that it has taken.
    return !this.isForeign && this.stream?.writableLength === 0;
  }

  /** What has kept it from opening so far, for the error about a timeout. Undefined once it is open. */
  get obstacle(): Error | undefined {
    if (this.stream !== undefined) return undefined;
    if (this.isForeign) return new Error("the stream of createConnection has not opened");
    return this.dial?.obstacle ?? new Error(`no answer from ${this.target.host}`);
  }

  /** Whether this connection keeps the process alive. Default true. */
  setRef(ref: boolean): void {
    this.isRef = ref;
    for (const stream of this.streams) this.applyRef(stream);
  }

  /**
   * Closes at once, whatever is under way. Resolves when every socket is gone; the user's stream counts as gone after a
   * second even if it does not report it. A look-up that is under way is not waited for.
   */
  close(): Promise<void> {
    this.shut();
    this.gone ??= this.streams.length === 0 ? Promise.resolve() : this.waitUntilGone();
    return this.gone;
  }

  private get isClosed(): boolean {
    return this.events === undefined;
  }

  private connectToLiteral(): void {
    try {
      this.connectTo(this.target.host);
    } catch (thrown) {
      this.endAfterThisCall(toError(thrown));
    }
  }

  private connectToName(): void {
    const { host, lookup } = this.target;
    const dial = new Dial(host, {
      attempt: (address) =>
        this.connectTo(address, (cause) =>
          dial.failed(address, cause ?? new Error(`the connection to ${address} closed`)),
        ),
      exhausted: (cause) => this.endAfterThisCall(cause),
    });
    this.dial = dial;
    dial.start(lookup);
  }

  private connectTo(address: string, onFailure?: (cause: Error | undefined) => void): void {
    const socket = this.createSocket({ host: address, port: this.target.port });
    this.watch(socket, onFailure);
    socket.once("connect", () => this.open(socket));
  }

  private createSocket(endpoint: { host: string; port: number }): Socket {
    const callback = (length: number, chunk: Uint8Array): boolean => {
      this.events?.received(chunk, length);
      return true;
    };
    try {
      return connect({ ...endpoint, onread: { buffer: readBuffer(), callback } });
    } catch {
      // Not every runtime has `onread`.
      return this.read(connect(endpoint));
    }
  }

  private connectForeign(createConnection: () => Duplex): void {
    let stream: Stream;
    let event: ReturnType<typeof openingEvent>;
    try {
      stream = checkedStream(createConnection());
      this.watch(stream);
      event = openingEvent(stream);
    } catch (thrown) {
      return this.end(toError(thrown));
    }
    // createConnection may destroy its own client.
    if (this.isClosed) this.shut();
    else if (event === undefined) this.openForeign(stream);
    else stream.once(event, () => this.openForeign(stream));
  }

  private openForeign(stream: Stream): void {
    this.open(stream);
    if (!this.isClosed) this.read(stream).resume();
  }

  /** What happens before the stream is open is reported to `onFailure`, if several addresses are attempted. */
  private watch(stream: Stream, onFailure?: (cause: Error | undefined) => void): void {
    const fail = (cause?: Error): void => {
      if (onFailure === undefined || stream === this.stream) this.end(cause);
      else onFailure(cause);
    };
    this.streams = this.streams.concat(stream); // a spread would reserve memory for more
    // Never removed: an error event without a listener would crash the process.
    stream.on("error", (error: unknown) => fail(toError(error)));
    stream.on("end", fail);
    stream.on("close", () => {
      this.streams = this.streams.filter((one) => one !== stream);
      fail();
      if (this.streams.length === 0) this.onGone?.();
    });
    if (!this.isRef) this.applyRef(stream);
  }

  private open(stream: Stream): void {
    if (this.isClosed || this.stream !== undefined) return;
    this.stream = stream;
    this.dial?.stop();
    this.dial = undefined;
    for (const other of this.streams) if (other !== stream) other.destroy();
    this.attempt(() => tune(stream));
    this.events?.opened();
  }

  private read<Readable extends Duplex>(stream: Readable): Readable {
    return stream.on("data", (chunk: unknown) => {
      if (types.isUint8Array(chunk)) this.events?.received(plainBytes(chunk), chunk.length);
      else this.end(new TypeError(`the stream of createConnection emitted a ${typeof chunk}, but must emit bytes`));
    });
  }

  private applyRef(stream: Stream): void {
    try {
      if (this.isRef) stream.ref?.();
      else stream.unref?.();
    } catch (thrown) {
      this.endAfterThisCall(toError(thrown));
    }
  }

  /** If the user's stream throws, the connection ends. */
  private attempt(action: () => void): void {
    try {
      action();
    } catch (thrown) {
      this.end(toError(thrown));
    }
  }

  private endAfterThisCall(cause: Error): void {
    afterThisCall(() => this.end(cause));
  }

  private end(cause: Error | undefined): void {
    const { events } = this;
    this.shut();
    events?.closed(cause);
  }

  private shut(): void {
    this.events = undefined;
    this.dial?.stop();
    for (const stream of this.streams) destroyStream(stream);
  }

  private waitUntilGone(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.isForeign ? setTimeout(resolve, MAX_CLOSING_MS) : undefined;
      this.onGone = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function tune(stream: MaybeSocket): void {
  stream.setNoDelay?.(true);
  stream.setKeepAlive?.(true, KEEP_ALIVE_AFTER_MS);
}

/** A copy of a Buffer's bytes would be a Buffer again, but commands are plain Uint8Arrays. */
function plainBytes({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}

/** A microtask: unlike a timer, it needs no global that a test environment removes or replaces. */
function afterThisCall(action: () => unknown): void {
  void Promise.resolve().then(action);
}
