import { InternalClientError } from "../errors/internal-client-error.js";

type Next = IteratorResult<Uint8Array, undefined>;

interface WaitingRead {
  readonly resolve: (next: Next) => void;
  readonly reject: (error: unknown) => void;
}

const DONE: Next = { done: true, value: undefined };

/** One reader's view of the commands from its subscription on. */
export class CommandReader implements AsyncIterableIterator<Uint8Array, undefined, undefined> {
  private unread: Uint8Array[] = [];
  private readonly waiting: WaitingRead[] = [];
  private isOpen = true;
  private finalError: InternalClientError | undefined;

  constructor(
    private readonly highWaterMark: number,
    private readonly unsubscribe: (reader: CommandReader) => void,
  ) {}

  /** A reader that gets nothing but its end, or an error in its place. */
  static ended(error?: InternalClientError): CommandReader {
    const reader = new CommandReader(0, () => undefined);
    if (error === undefined) reader.end();
    else reader.fail(error);
    return reader;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Next> {
    const command = this.unread.shift();
    if (command !== undefined) return Promise.resolve({ done: false, value: command });
    if (this.finalError !== undefined) return this.rejectOnce(this.finalError);
    if (!this.isOpen) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  return(): Promise<Next> {
    this.unread = [];
    this.finalError = undefined;
    this.unsubscribe(this);
    this.end();
    return Promise.resolve(DONE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** A reader that has fallen behind by its mark is ended: to leave out one command would be to lose it silently. */
  deliver(command: Uint8Array): void {
    const read = this.waiting.shift();
    if (read !== undefined) {
      read.resolve({ done: false, value: command });
      return;
    }
    if (this.unread.length < this.highWaterMark) {
      this.unread.push(command);
      return;
    }
    this.unsubscribe(this);
    this.fail(fellBehind(this.highWaterMark));
  }

  /** No command will follow; what is unread can still be read. */
  end(): void {
    this.isOpen = false;
    for (const read of this.waiting.splice(0)) read.resolve(DONE);
  }

  /** As `end`, and the read behind the last command rejects with the error. */
  fail(error: InternalClientError): void {
    this.isOpen = false;
    this.finalError = error;
  }

  private rejectOnce(error: InternalClientError): Promise<Next> {
    this.finalError = undefined;
    return Promise.reject(error);
  }
}

function fellBehind(highWaterMark: number): InternalClientError {
  const message =
    `this reader of commands fell behind by more than its highWaterMark of ${highWaterMark}, and later commands are lost to it; ` +
    "read faster, or subscribe again with a larger one";
  return new InternalClientError("NOT_OK", { message });
}

/** Every reader gets every command from its subscription on. */
export class CommandReaders {
  private readonly readers = new Set<CommandReader>();

  subscribe(highWaterMark: number): CommandReader {
    const reader = new CommandReader(highWaterMark, (gone) => this.readers.delete(gone));
    this.readers.add(reader);
    return reader;
  }

  deliver(command: Uint8Array): void {
    for (const reader of this.readers) reader.deliver(command);
  }

  end(): void {
    for (const reader of this.readers) reader.end();
    this.readers.clear();
  }
}
