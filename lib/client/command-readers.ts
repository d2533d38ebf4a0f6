import { err, ok, type Result } from "neverthrow";
import type { CommandsError } from "../errors/error-types.js";
import { InternalClientError } from "../errors/internal-client-error.js";
import { listen, unlisten } from "./abort.js";
import type { CheckedCommandsOptions } from "./arguments.js";
import { outsideCalls } from "./async-context.js";
import { DONE, Mailbox, type Stream } from "./mailbox.js";
import { clearImmediate, clearInterval, setImmediate, setInterval } from "./timers.js";

type Item = Result<Uint8Array, CommandsError>;
type Next = IteratorResult<Item, undefined>;

export const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

/** About what an unread command takes besides its bytes. */
export const COMMAND_OVERHEAD_BYTES = 64;

/** One reader's view of the commands from its subscription on. */
export class CommandReader implements Stream<Item> {
  private readonly mailbox: Mailbox<Item>;
  private unreadBytes = 0;
  private verdict: NodeJS.Immediate | undefined;

  constructor(
    private readonly options: CheckedCommandsOptions,
    private readonly endpoint: string,
    private readonly onGone: (reader: CommandReader) => void,
    onWaiting?: (isWaiting: boolean) => void,
  ) {
    this.mailbox = new Mailbox(onWaiting);
    const { signal } = options;
    if (signal?.aborted === true) this.end();
    else if (signal !== undefined) listen(signal, this);
  }

  /** A reader with only that error. */
  static failed(error: CommandsError): CommandReader {
    const reader = new CommandReader({ highWaterMark: 0, signal: undefined }, "", () => undefined);
    reader.mailbox.put(err(error));
    reader.end();
    return reader;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Next> {
    const item = this.mailbox.takeOldest();
    if (item === undefined) return this.mailbox.next();
    this.unreadBytes -= weightOf(item);
    return Promise.resolve({ done: false, value: item });
  }

  return(): Promise<Next> {
    this.mailbox.keepOldest(0);
    this.end();
    return Promise.resolve(DONE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /**
   * Whether a reader has fallen behind is judged only after it had a turn: a chunk may bring thousands of small commands at
   * once. A reader that has fallen behind is ended, because leaving out a command would lose it silently.
   */
  deliver(command: Item): void {
    if (this.mailbox.put(command)) return;
    this.unreadBytes += weightOf(command);
    if (this.unreadBytes > MAX_UNREAD_BYTES) return this.fallBehind(this.mailbox.unread - 1);
    if (this.mailbox.unread > this.options.highWaterMark) this.verdict ??= setImmediate(() => this.judge());
  }

  private judge(): void {
    this.verdict = undefined;
    if (this.mailbox.unread > this.options.highWaterMark) this.fallBehind(this.options.highWaterMark);
  }

  private fallBehind(kept: number): void {
    this.mailbox.keepOldest(kept);
    this.mailbox.put(err(fellBehind(this.options.highWaterMark, this.endpoint)));
    this.end();
  }

  /** No further command will come; unread ones can still be read. */
  end(): void {
    if (this.options.signal !== undefined) unlisten(this.options.signal, this);
    clearImmediate(this.verdict);
    this.verdict = undefined;
    this.mailbox.end();
    this.onGone(this);
  }

  /** The signal aborts. */
  handleEvent(): void {
    this.end();
  }
}

function weightOf(item: Item): number {
  return COMMAND_OVERHEAD_BYTES + (item.isOk() ? item.value.length : 0);
}

function fellBehind(highWaterMark: number, endpoint: string): InternalClientError<"NOT_OK"> {
  const message =
    `this reader fell behind: more than ${highWaterMark} commands (its highWaterMark) or 64 MiB were unread (${endpoint}). ` +
    "It gets no more commands. Read faster, or subscribe again with a larger highWaterMark.";
  return new InternalClientError("NOT_OK", { reason: "fell-behind", message });
}

const LONG_MS = 2 ** 30;

/** Every reader gets every command from its subscription on. */
export class CommandReaders {
  private readonly readers = new Set<CommandReader>();
  private waiting = 0;
  private hold: NodeJS.Timeout | undefined;

  /** `holdsProcess`: whether a waiting read keeps the process alive. While there is no connection, nothing else does. */
  constructor(
    private readonly holdsProcess: boolean,
    private readonly endpoint: string,
  ) {}

  subscribe(options: CheckedCommandsOptions): CommandReader {
    const onWaiting = this.holdsProcess ? (isWaiting: boolean) => this.count(isWaiting ? 1 : -1) : undefined;
    const reader = new CommandReader(options, this.endpoint, (gone) => this.leave(gone), onWaiting);
    if (options.signal?.aborted !== true) this.readers.add(reader);
    return reader;
  }

  deliver(command: Uint8Array): void {
    const item = ok(command);
    for (const reader of this.readers) reader.deliver(item);
  }

  end(): void {
    for (const reader of this.readers) reader.end();
  }

  private leave(reader: CommandReader): void {
    this.readers.delete(reader);
    if (this.readers.size > 0) return;
    clearInterval(this.hold);
    this.hold = undefined;
  }

  private count(change: number): void {
    this.waiting += change;
    if (this.waiting === 0) this.hold?.unref();
    else if (this.hold === undefined) this.hold = outsideCalls(() => setInterval(() => undefined, LONG_MS));
    else this.hold.ref();
  }
}
