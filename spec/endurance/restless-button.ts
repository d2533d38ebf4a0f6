import { setTimeout as sleep } from "node:timers/promises";
import {
  commands,
  connect,
  destroy,
  exchange,
  getCommand,
  type ClientHandle,
  type SendStatusOptions,
} from "../../lib/index.js";
import type { Random } from "../../scripts/fuzz/random.js";
import { isLater, Ledger, readTag } from "../../scripts/soak/ledger.js";
import { button, type TaggingGateway } from "./tagging-gateway.js";

const SHORT_TIMEOUT_MS = 50;
const GENEROUS_TIMEOUT_MS = 10_000;

/** A button in the hands of somebody impatient, who keeps account of every command. */
export class RestlessButton {
  readonly problems: string[] = [];
  readonly outcomes = new Map<string, number>();
  exchanges = 0;
  arrivals = 0;
  reconnections = 0;
  quietPauses = 0;
  private lastMergedWrite: number | undefined;

  constructor(
    readonly gateway: TaggingGateway,
    private readonly random: Random,
    private readonly most: number,
  ) {}

  async live(): Promise<void> {
    while (this.exchanges < this.most && this.problems.length === 0) {
      const connected = await connect({ host: "127.0.0.1", port: this.gateway.port, device: button });
      await this.useUp(connected._unsafeUnwrap());
    }
  }

  /** Until the client is destroyed or all is done. */
  private async useUp(handle: ClientHandle): Promise<void> {
    const ledger = new Ledger("test", () => this.gateway.connection);
    const reading = this.read(handle, ledger);
    let isAlive = true;
    while (isAlive && this.exchanges < this.most && ledger.problems.length === 0) {
      const chance = this.random.next();
      if (chance < 0.1) await this.afterQuietPause(handle, ledger);
      else if (chance < 0.18) await this.abortedWhileOut(handle, ledger);
      else isAlive = await this.severalAtOnce(handle, ledger);
    }
    await destroy(handle);
    await reading;
    ledger.close();
    this.reconnections += ledger.reconnections;
    this.problems.push(...ledger.problems);
  }

  private async read(handle: ClientHandle, ledger: Ledger): Promise<void> {
    for await (const read of commands(handle)) {
      const command = read._unsafeUnwrap();
      this.arrivals += 1;
      ledger.arrived(command);
      const latest = getCommand(handle);
      if (latest.isOk() && isLater(readTag(command), readTag(latest.value))) {
        this.problems.push("getCommand gives an older command than commands()");
      }
    }
  }

  /** Statuses, with a push, a drop or a restart in their midst now and then. Whether the client lives on. */
  private async severalAtOnce(handle: ClientHandle, ledger: Ledger): Promise<boolean> {
    const { gateway, random } = this;
    const calls = Array.from({ length: random.pick([1, 1, 1, 2, 5]) }, () => this.exchange(handle, ledger));
    if (random.chance(0.5)) await new Promise((resolve) => setImmediate(resolve));
    if (random.chance(0.2)) gateway.push();
    if (random.chance(0.05)) gateway.drop(random.chance(0.5));
    if (random.chance(0.01)) await gateway.restart();
    const codes = await Promise.all(calls);
    return codes.every((code) => code === "Ok");
  }

  /** With the status its connection goes, and the answer that is under way on it is nobody's. */
  private async abortedWhileOut(handle: ClientHandle, ledger: Ledger): Promise<void> {
    const abort = new AbortController();
    const call = this.exchange(handle, ledger, { signal: abort.signal });
    for (let turns = this.random.between(0, 3); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    abort.abort();
    if ((await call) === "NOT_OK") ledger.dropped(this.exchanges);
  }

  /** Whatever a push has displaced is over after a round trip in which nothing else comes. */
  private async afterQuietPause(handle: ClientHandle, ledger: Ledger): Promise<void> {
    const { gateway } = this;
    gateway.isCalm = true;
    while (gateway.owed > 0 || !this.isQuiet(handle, ledger)) await sleep(1);
    const status = this.exchanges + 1;
    const outcome = await this.exchange(handle, ledger, { timeoutMs: GENEROUS_TIMEOUT_MS });
    const latest = getCommand(handle).map((command) => readTag(command).answers);
    if (outcome !== "Ok" || latest.unwrapOr(undefined) !== status) {
      this.problems.push(`after a quiet pause status ${status} gave ${outcome}, ${JSON.stringify(latest)}`);
    }
    this.quietPauses += 1;
    gateway.isCalm = false;
  }

  /** Whether nothing is under way to the client any more. */
  private isQuiet(handle: ClientHandle, ledger: Ledger): boolean {
    const { gateway } = this;
    if (!String(handle).endsWith(", connected)")) return true;
    if (!gateway.hasDevice) return false; // the end of the connection is under way
    if (ledger.last?.connection === gateway.connection) return ledger.last.sequence === gateway.sent;
    // On a client's first connection a push may have come before commands() was called.
    return gateway.sent === 0 || getCommand(handle).isOk();
  }

  private async exchange(handle: ClientHandle, ledger: Ledger, options: SendStatusOptions = {}): Promise<string> {
    this.exchanges += 1;
    const status = this.exchanges;
    const outcome = await exchange(handle, Buffer.from(String(status)), { timeoutMs: SHORT_TIMEOUT_MS, ...options });
    if (outcome.isOk()) {
      ledger.completed(status, outcome.value);
      this.checkMerged(status, this.gateway.mergedWriteOf(readTag(outcome.value)));
    }
    const code = outcome.isOk() ? "Ok" : outcome.error.code;
    this.outcomes.set(code, (this.outcomes.get(code) ?? 0) + 1);
    return code;
  }

  /** Commands that come together were all there before the next status went out, so that only one of them can complete one. */
  private checkMerged(status: number, write: number | undefined): void {
    if (write !== undefined && write === this.lastMergedWrite) {
      this.problems.push(`status ${status} was completed by a command that had come before it went out`);
    }
    this.lastMergedWrite = write;
  }
}
