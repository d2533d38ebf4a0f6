import { connect, type Socket } from "node:net";

/** What a transport tells its owner. After `close`, and after `closed` was told, it tells nothing any more. */
export interface TransportEvents {
  opened(): void;
  /** The first `length` bytes of `chunk`; they may be written over once the call has returned. */
  received(chunk: Uint8Array, length: number): void;
  /** The connection ended, or could not be made; without a cause, the gateway ended it in order. */
  closed(cause: Error | undefined): void;
}

const READ_BUFFER_BYTES = 64 * 1024;

let sharedReadBuffer: Uint8Array | undefined;

/**
 * Outside Windows a read fills its buffer and hands it over within one turn, so that all sockets can share one buffer
 * and an idle one costs no memory. Windows hands the buffer to the system ahead of the read.
 */
function readBuffer(): Uint8Array {
  if (process.platform === "win32") return new Uint8Array(READ_BUFFER_BYTES);
  sharedReadBuffer ??= new Uint8Array(READ_BUFFER_BYTES);
  return sharedReadBuffer;
}

/** One TCP connection. The only place that knows `node:net`. */
export class Transport {
  private readonly socket: Socket;
  /** `socket.closed` is true as soon as it is destroyed, while its handle is still open. */
  private isGone = false;
  private onGone: (() => void) | undefined;
  private events: TransportEvents | undefined;

  constructor(host: string, port: number, events: TransportEvents) {
    this.events = events;
    this.socket = connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: readBuffer(),
        callback: (length, chunk) => {
          this.events?.received(chunk, length);
          return true;
        },
      },
    });
    this.socket.on("connect", () => this.events?.opened());
    this.socket.on("end", () => this.end(undefined));
    // Stays for good: an error event without a listener would take the process down.
    this.socket.on("error", (error) => this.end(error));
    this.socket.on("close", () => {
      this.isGone = true;
      this.onGone?.();
      this.end(undefined);
    });
  }

  /** Hands a frame to the kernel, in one write: the gateway drops a connection whose header comes in parts. */
  write(frame: Uint8Array): void {
    this.socket.write(frame);
  }

  /** Whether the kernel has taken all that was written, so that its bytes may be used again. */
  get isFlushed(): boolean {
    return this.socket.writableLength === 0;
  }

  /** Whether this connection keeps the process alive. */
  hold(holds: boolean): void {
    if (holds) this.socket.ref();
    else this.socket.unref();
  }

  /** Closes at once, whatever is under way. Resolves when the socket is gone. */
  close(): Promise<void> {
    this.events = undefined;
    this.socket.destroy();
    // Not `socket.closed`: that is set before the handle below is closed.
    if (this.isGone) return Promise.resolve();
    return new Promise((resolve) => (this.onGone = resolve));
  }

  private end(cause: Error | undefined): void {
    const { events } = this;
    this.events = undefined;
    this.socket.destroy();
    events?.closed(cause);
  }
}
