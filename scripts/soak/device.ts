import { setTimeout as sleep } from "node:timers/promises";
import {
  connect,
  destroy,
  exchange,
  getCommand,
  type ClientHandle,
  type Config,
  type Stream,
  type SendStatusOptions,
} from "../../lib/index.js";
import { commands } from "../../lib/throwing.js";
import type { Random } from "../random.js";
import { readSlowly } from "./lagging-reader.js";
import { isLater, Ledger, readTag } from "./ledger.js";
import { NAME } from "./names.js";
import type { RunClock } from "./run-clock.js";
import { statusOf, type TaggedGateway, type Wish } from "./tagged-gateway.js";

const STATUS_TIMEOUT_MS = 1_000;
const ASK_AGAIN_FOR_MS = 350;

/** What all devices have come to, together. */
export class Account {
  statusesSent = 0;
  statusesCompleted = 0;
  commandsReceived = 0;
  connects = 0;
  reconnections = 0;
  readonly errors = new Map<string, number>();
  /** Calls by how often they ended: once is right. */
  readonly callEndings = new Map<number, number>();
  slowestBeyondBoundMs = -Infinity;
  callsBeyondBound = 0;
  wrongCommands = 0;
  /** What was wrong, in words; the first few. */
  readonly problems: string[] = [];

  /** The wait that is the machine's fault and not the library's: how long the event loop stood still at the longest. */
  constructor(
    private readonly allowanceMs: () => number,
    readonly clock: RunClock,
  ) {}

  error(code: string): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  wrong(problem: string): void {
    this.wrongCommands += 1;
    this.note(problem);
  }

  note(problem: string): void {
    if (this.problems.length < 10) this.problems.push(problem);
  }

  took(what: string, tookMs: number, boundMs: number): void {
    const beyond = tookMs - boundMs;
    this.slowestBeyondBoundMs = Math.max(this.slowestBeyondBoundMs, beyond);
    if (beyond <= this.allowanceMs()) return;
    this.callsBeyondBound += 1;
    this.note(`${what} took ${Math.round(tookMs)} ms where ${boundMs} ms are the most`);
  }

  /** Counts how often a call ends. */
  begun(): () => void {
    let endings = 0;
    this.move(undefined, 0);
    return () => {
      this.move(endings, endings + 1);
      endings += 1;
    };
  }

  get callsNotEndedOnce(): number {
    return [...this.callEndings].reduce((sum, [endings, calls]) => (endings === 1 ? sum : sum + calls), 0);
  }

  private move(from: number | undefined, to: number): void {
    if (from !== undefined) this.callEndings.set(from, (this.callEndings.get(from) ?? 0) - 1);
    this.callEndings.set(to, (this.callEndings.get(to) ?? 0) + 1);
  }
}

export interface Surroundings {
  readonly tagged: TaggedGateway;
  readonly port: number;
  readonly account: Account;
  /** How long a device does nothing between two statuses, at the longest. */
  readonly longestPauseMs: number;
  readonly connectTimeoutMs: number;
  /** Aborted when the soak is over. Given to no call but runDevice: a soak that is over lets what is under way come to its end. */
  readonly over: AbortSignal;
  /** A signal that every call shares, so that a listener that is left behind on it shows. */
  readonly shared: AbortSignal;
}

export const WISHES: readonly Wish[] = [
  ...Array.from({ length: 16 }, () => "answer" as const),
  "push first",
  "push afterwards",
  "push both",
  "answer slowly",
];

/** Every second device knows its gateway by a name with several addresses. */
export function configOf(role: string, { port, connectTimeoutMs }: Surroundings): Config {
  const host = Number(role.slice(1)) % 2 === 0 ? NAME : "127.0.0.1";
  const device = { module: 1000, deviceType: 0, deviceRole: role, deviceName: `button ${role}` };
  return { host, port, device, connectTimeoutMs };
}

/** One device's life: connects, sends statuses at its own pace, and connects anew whenever its client was destroyed. */
export class SoakDevice {
  private statuses = 0;

  constructor(
    private readonly role: string,
    private readonly random: Random,
    private readonly around: Surroundings,
  ) {}

  async live(): Promise<void> {
    const { over, tagged } = this.around;
    await this.pause();
    while (!over.aborted) {
      const handle = await this.connect();
      if (handle === undefined) {
        await this.pause();
        continue;
      }
      // A client of its own, an account of its own: what arrives belongs to connections from here on.
      const ledger = new Ledger(this.role, () => tagged.connectionOf(this.role), this.statuses + 1);
      const stream = commands(handle);
      const reading = Promise.all([
        this.read(handle, stream, ledger),
        readSlowly(handle, this.random.fork(), this.around.account),
      ]);
      await this.work(handle, ledger);
      await this.call(`destroy of ${this.role}`, this.around.connectTimeoutMs, destroy(handle));
      await reading;
      ledger.close();
      this.around.account.reconnections += ledger.reconnections;
      for (const problem of ledger.problems) this.around.account.wrong(problem);
    }
  }

  /** Undefined when it failed. */
  private async connect(): Promise<ClientHandle | undefined> {
    const { account, connectTimeoutMs, shared } = this.around;
    account.connects += 1;
    const connecting = connect({ ...configOf(this.role, this.around), signal: shared });
    const connected = await this.call(`connect of ${this.role}`, connectTimeoutMs, connecting);
    if (connected.isOk()) return connected.value;
    account.error(`connect: ${connected.error.code}`);
    return undefined;
  }

  private async read(handle: ClientHandle, stream: Stream<Uint8Array>, ledger: Ledger): Promise<void> {
    const { account } = this.around;
    try {
      for await (const command of stream) {
        account.commandsReceived += 1;
        ledger.arrived(command);
        const latest = getCommand(handle);
        if (latest.isOk() && isLater(readTag(command), readTag(latest.value))) {
          account.wrong(`getCommand of ${this.role} is behind commands()`);
        }
      }
    } catch (thrown) {
      account.wrong(`commands() of ${this.role} threw: ${String(thrown)}`);
    }
  }

  /** Until the client is destroyed or the soak is over. */
  private async work(handle: ClientHandle, ledger: Ledger): Promise<void> {
    while (!this.around.over.aborted) {
      const kind = this.random.between(0, 29);
      if (kind === 0) return; // its owner destroys it
      const isAlive =
        kind === 1 ? await this.aborted(handle, ledger) : await this.statusesAtOnce(handle, ledger, kind < 5 ? 3 : 1);
      if (!isAlive) return;
      await this.pause();
    }
  }

  private async statusesAtOnce(handle: ClientHandle, ledger: Ledger, count: number): Promise<boolean> {
    let turnSince = this.around.account.clock.now();
    const calls = Array.from({ length: count }, async (_, ahead) => {
      const isOk = await this.exchange(handle, ledger, this.random.pick(WISHES), {}, (endedAt) => {
        const tookMs = endedAt - turnSince;
        turnSince = endedAt;
        const bound = 2 * STATUS_TIMEOUT_MS + this.around.connectTimeoutMs + ASK_AGAIN_FOR_MS;
        this.around.account.took(`status ${ahead + 1} of ${count} of ${this.role}`, tookMs, bound);
      });
      return isOk;
    });
    const areAlive = await Promise.all(calls);
    return areAlive.every((isAlive) => isAlive);
  }

  /** A status that is aborted while it is out: from then on nothing of its connection may come. */
  private async aborted(handle: ClientHandle, ledger: Ledger): Promise<boolean> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.random.between(0, 20));
    let wasAborted = false;
    const isAlive = await this.exchange(handle, ledger, "answer slowly", { signal: abort.signal }, () => {
      wasAborted = abort.signal.aborted;
    });
    clearTimeout(timer);
    return isAlive || wasAborted;
  }

  /** Whether the client lives on. */
  private async exchange(
    handle: ClientHandle,
    ledger: Ledger,
    wish: Wish,
    options: SendStatusOptions,
    onEnd: (at: number) => void,
  ): Promise<boolean> {
    const { account, shared } = this.around;
    this.statuses += 1;
    account.statusesSent += 1;
    const number = this.statuses;
    const given = { timeoutMs: STATUS_TIMEOUT_MS, signal: shared, ...options };
    const outcome = await this.call(
      `status ${number} of ${this.role}`,
      Infinity,
      exchange(handle, statusOf(number, wish), given),
    );
    onEnd(this.around.account.clock.now());
    if (outcome.isOk()) {
      account.statusesCompleted += 1;
      ledger.completed(number, outcome.value);
      return true;
    }
    account.error(`status: ${outcome.error.code}`);
    const { code } = outcome.error;
    const livesOn = code === "NOT_OK" || code === "COMMAND_INCORRECT" || code === "DEVICE_INCORRECT";
    if (livesOn) ledger.dropped(number);
    return livesOn;
  }

  private async call<T>(what: string, boundMs: number, outcome: PromiseLike<T>): Promise<T> {
    const { account } = this.around;
    const ended = account.begun();
    const begunAt = this.around.account.clock.now();
    const result = await new Promise<T>((resolve, reject) => {
      outcome.then(
        (value) => {
          ended();
          resolve(value);
        },
        (reason: unknown) => {
          account.note(`${what} was rejected: ${String(reason)}`);
          ended();
          ended(); // a rejection is never right
          reject(reason instanceof Error ? reason : new Error(String(reason)));
        },
      );
    });
    account.took(what, this.around.account.clock.now() - begunAt, boundMs);
    return result;
  }

  private async pause(): Promise<void> {
    const { longestPauseMs, over } = this.around;
    await sleep(this.random.between(1, longestPauseMs), undefined, { signal: over }).catch(() => undefined);
  }
}
