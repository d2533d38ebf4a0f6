import { err, type Result } from "neverthrow";
import type { RunDeviceError } from "../errors/error-types.js";
import { InternalClientError } from "../errors/internal-client-error.js";
import { MAX_TIMER_MS, MAX_UINT32 } from "../limits.js";
import { listen, unlisten } from "./abort.js";
import { invalidArgument, type CheckedConfig, type CheckedDeviceOptions } from "./arguments.js";
import { Client } from "./client.js";
import { COMMAND_OVERHEAD_BYTES, MAX_UNREAD_BYTES } from "./command-readers.js";
import { describeEndpoint } from "./handle.js";
import { Mailbox } from "./mailbox.js";
import { StatusReader } from "./status-reader.js";
import { clearTimeout, setImmediate, setTimeout } from "./timers.js";

export type RetryDelay = (failuresInARow: number, error: RunDeviceError) => number | undefined;

const lastErrors = new WeakSet<object>();

/** Whether this error ended a device. */
export function isLastError(error: RunDeviceError): boolean {
  return lastErrors.has(error);
}

export function last<Err extends RunDeviceError>(error: Err): Err {
  lastErrors.add(error);
  return error;
}

type Item = Result<Uint8Array, RunDeviceError>;

/** One device, with one client after the other. */
export class DeviceRun {
  private readonly config: CheckedConfig;
  private readonly statuses: StatusReader;
  private readonly outbox = new Mailbox<Item>();
  private unreadBytes = 0;
  private lost = 0;
  private readonly ending = new AbortController();
  private running: Promise<void> | undefined;
  private failures = 0;
  private endPause: () => void = () => undefined;

  constructor(
    config: CheckedConfig,
    source: unknown,
    private readonly options: CheckedDeviceOptions<RetryDelay>,
  ) {
    this.config = { ...config, signal: this.ending.signal };
    this.statuses = new StatusReader(source, config, options.repeatAfterMs, config.keepProcessAlive);
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    this.running ??= this.run();
    const item = this.lost > 0 ? this.fellBehind() : this.takeOldest();
    return item === undefined ? this.outbox.next() : Promise.resolve({ done: false, value: item });
  }

  async leave(): Promise<void> {
    this.outbox.keepOldest(0);
    this.lost = 0;
    this.outbox.end();
    this.stop();
    await (this.running ??= Promise.resolve());
  }

  private stop(): void {
    this.ending.abort();
    this.statuses.stop();
    this.endPause();
  }

  private isStopped(): boolean {
    return this.ending.signal.aborted;
  }

  private async run(): Promise<void> {
    const { signal } = this.options;
    const onAbort = { handleEvent: () => this.stop() };
    if (signal?.aborted === true) this.stop();
    else if (signal !== undefined) listen(signal, onAbort);
    while (!this.isStopped()) {
      const error = await this.live();
      if (error === undefined || this.isStopped()) break;
      const delay = this.delayAfter(error);
      this.put(err(delay === undefined ? last(error) : error));
      if (delay === undefined || this.isStopped()) break; // retryDelayMs may have stopped it
      await this.pause(delay);
    }
    if (signal !== undefined) unlisten(signal, onAbort);
    await this.statuses.close();
    this.outbox.end();
  }

  /** One client, from its connect to its end. Returns the failure that destroyed it, or undefined if the device is to end. */
  private async live(): Promise<RunDeviceError | undefined> {
    const client = new Client(this.config);
    const connecting = client.connect();
    // Subscribes before anything can arrive: a command may come with the connect response, or before it.
    const collecting = this.collect(client.commands({ highWaterMark: MAX_UINT32 }));
    const connected = await connecting;
    const error = connected.isErr() ? connected.error : await this.send(client);
    await client.destroy();
    await collecting;
    return error;
  }

  private async collect(commands: AsyncIterable<Item>): Promise<void> {
    for await (const command of commands) this.put(command);
  }

  private async send(client: Client): Promise<RunDeviceError | undefined> {
    void client.whenClosed().then(() => this.statuses.interrupt());
    const { timeoutMs } = this.options;
    const options = { timeoutMs, signal: this.ending.signal };
    for (let bytes = this.statuses.latest; ; bytes = undefined) {
      bytes ??= await this.nextStatus(client);
      if (bytes === undefined) return undefined;
      const outcome = await client.exchange(bytes, options);
      if (this.isStopped()) return undefined;
      if (outcome.isOk()) this.failures = 0;
      else if (client.isDestroyed) return outcome.error;
      else this.put(err(outcome.error));
    }
  }

  /** Returns undefined when the source has ended. */
  private async nextStatus(client: Client): Promise<Uint8Array | undefined> {
    for (;;) {
      const next = await this.statuses.next();
      if (next.kind === "status") return next.bytes;
      if (next.kind === "end") return undefined;
      // Sending anything to a destroyed client returns the error that says why.
      if (next.kind === "interrupted" && client.isDestroyed) return new Uint8Array(0);
      if (next.kind === "interrupted") continue;
      this.put(err(next.kind === "failed" ? last(next.error) : next.error));
      await turnOfTheLoop(); // or a source that yields unwritable statuses at once would block the process
    }
  }

  /** Returns undefined when the device is to end. An error that the caller caused would only come again. */
  private delayAfter(error: RunDeviceError): number | undefined {
    this.failures += 1;
    if (error.family === "usage") return undefined;
    const retryDelayMs = this.options.retryDelayMs ?? ((failures: number) => defaultRetryDelayMs(failures));
    try {
      const delay = retryDelayMs(this.failures, error);
      if (delay === undefined || isDelay(delay)) return delay;
      this.put(
        err(
          invalidArgument(
            "the result of options.retryDelayMs",
            delay,
            `milliseconds from 0 to ${MAX_TIMER_MS}, or undefined`,
          ),
        ),
      );
    } catch (cause) {
      this.put(
        err(new InternalClientError("NOT_OK", { message: "options.retryDelayMs threw. runDevice ends.", cause })),
      );
    }
    return undefined;
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      if (!this.config.keepProcessAlive) timer.unref();
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private put(item: Item): void {
    if (this.outbox.put(item)) return;
    this.unreadBytes += weightOf(item);
    while (this.outbox.unread > this.options.highWaterMark || this.unreadBytes > MAX_UNREAD_BYTES) {
      if (this.takeOldest() !== undefined) this.lost += 1;
    }
  }

  private takeOldest(): Item | undefined {
    const item = this.outbox.takeOldest();
    if (item !== undefined) this.unreadBytes -= weightOf(item);
    return item;
  }

  private fellBehind(): Item {
    const message =
      `${this.lost} unread commands or failures were dropped (${describeEndpoint(this.config)}). ` +
      "The device keeps running. Read faster, or allow a larger highWaterMark.";
    this.lost = 0;
    return err(new InternalClientError("NOT_OK", { reason: "fell-behind", message }));
  }
}

function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** For the result of the user's function. A timer would throw for a BigInt. */
function isDelay(given: unknown): boolean {
  return typeof given === "number" && given >= 0 && given <= MAX_TIMER_MS;
}

function weightOf(item: Item): number {
  return COMMAND_OVERHEAD_BYTES + (item.isOk() ? item.value.length : 0);
}

export function defaultRetryDelayMs(failuresInARow: number, random = Math.random): number {
  return Math.min(30_000, 1_000 * 2 ** (failuresInARow - 1)) * (0.75 + random() / 2);
}
