import type { Totals } from "./totals.js";
import { DEVICE } from "./gateway.js";
import type { Handle, Library } from "./library.js";
import { momentOf, type Status } from "./status-rules.js";
import type { World } from "./world.js";

const HOUR_MS = 3_600_000;
/** No more may wait than 64; some room is left for what listeners send. */
const MAX_OPEN = 50;
const MAX_TURNS_OF_A_DESTROY = 5;
/** A connect settles a little after its limit, and after the socket is gone. */
const ROUNDING_MS = 30;
const PAUSES_MS = [0, 1, 100, 1_000, 5_000, 5_000, 5_000];
const CONNECT_CODES = [
  "UNABLE_TO_CONNECT",
  "DEVICE_ALREADY_CONNECTED",
  "HIGHER_PRIORITY_ALREADY_CONNECTED",
  "MODULE_NOT_SUPPORTED",
  "DEVICE_TYPE_NOT_SUPPORTED",
  "DEVICE_INCORRECT",
  "NOT_OK",
];

/** A device that connects, sends statuses, aborts some, reads all commands, destroys its client, and begins again. */
export class DeviceLife {
  private client: Handle | undefined;
  private isListening = false;

  constructor(
    private readonly library: Library,
    private readonly world: World,
    private readonly totals: Totals,
  ) {
    world.onNewCommand = () => this.checkLatest();
  }

  async live(hours: number): Promise<void> {
    const until = this.now + hours * HOUR_MS;
    while (this.now < until && this.isWell) {
      this.totals.clients++;
      const client = await this.connect();
      if (client === undefined) await this.rest(1_000);
      else await this.use(client, Math.min(until, this.now + HOUR_MS * this.random.next()));
    }
  }

  /** A message on one of the library's diagnostics channels, in the middle of what the client does. */
  hear(channel: string, client: unknown): void {
    if (channel === "reconnect") this.totals.reconnections++;
    if (channel === "drop") this.world.isConnected = false;
    if (channel === "destroy" && client === this.client) this.world.isEnded = true;
    const { random } = this;
    if (client !== this.client || this.isListening || !random.chance(this.world.mood.reentrance)) return;
    this.isListening = true;
    this.totals.reentrantCalls++;
    this.callWithin(channel);
    this.isListening = false;
  }

  // ——— connecting ———

  private async connect(): Promise<Handle | undefined> {
    const { world, random } = this;
    const { connectTimeoutMs } = world.mood;
    world.isEnded = false;
    world.isDestroying = false;
    const controller = random.chance(0.02) ? new AbortController() : undefined;
    const begun = momentOf(world.process, this.now);
    const former = world.connections;
    let settled: string | undefined;
    const { signal } = controller ?? {};
    const config = { host: "10.0.0.1", port: 1636, device: DEVICE, connectTimeoutMs, ...(signal && { signal }) };
    const keepProcessAlive = random.chance(0.5);
    void this.library.connect({ ...config, keepProcessAlive }).then((outcome) => {
      settled = outcome.isOk() ? "ok" : outcome.error.code;
      if (outcome.isOk()) this.begin(outcome.value);
    });
    while (settled === undefined && this.isWell) {
      await world.process.turn(this.now + 1_000);
      if (this.ran(begun) > connectTimeoutMs + ROUNDING_MS) world.violate("a connect is not settled within its limit");
      if (world.connections > former + 1) world.violate("a first connect tried more than once");
      if (controller !== undefined && random.chance(0.2)) await this.call(() => this.abortConnect(controller));
    }
    this.totals.count(`connect ${settled}`);
    if (settled === "ok" || settled === undefined) return this.client;
    this.checkFailedConnect(settled, controller?.signal.aborted === true);
    return undefined;
  }

  private abortConnect(controller: AbortController): void {
    this.world.note("the connect is aborted");
    this.world.hasInterfered = true;
    controller.abort();
  }

  private begin(client: Handle): void {
    this.client = client;
    this.world.commands.isObserved = true;
    void this.readCommands(client);
  }

  private checkFailedConnect(code: string, isAborted: boolean): void {
    const { world } = this;
    world.note(`connect failed: ${code}`);
    world.checkNothingIsLeft();
    if (!CONNECT_CODES.includes(code)) world.violate(`a connect failed with ${code}`);
    // The gateway may not have noticed the end of the former connection, and a first connect does not ask again.
    if (world.mood.name === "frozen" && !isAborted && code !== "DEVICE_ALREADY_CONNECTED") {
      world.violate(`a connect failed though the gateway answers: ${code}`);
    }
    this.forget();
  }

  private async readCommands(client: Handle): Promise<void> {
    try {
      const commands = this.library.commands(client, { highWaterMark: 1_000_000 });
      for await (const command of commands) {
        this.totals.commands++;
        if (command.isOk()) this.world.commands.arrived(command.value);
        else this.world.violate(`a reader of commands got ${command.error.code}`);
      }
    } catch (thrown) {
      this.world.violate(`a reader of commands threw: ${String(thrown)}`);
    }
  }

  // ——— using ———

  private async use(client: Handle, until: number): Promise<void> {
    const { world, random } = this;
    let sendsAt = this.now;
    while (this.now < until && this.isWell && !world.isEnded && !world.isDestroying) {
      if (this.now >= sendsAt) {
        const burst = random.chance(0.05) ? random.between(2, 20) : 1;
        await this.call(() => {
          for (let i = 0; i < burst; i++) this.send(client);
        });
        sendsAt = this.now + random.pick(PAUSES_MS) * (0.5 + random.next());
      }
      if (world.statuses.open.length > 0) await this.abortSome();
      await world.process.turn(Math.min(sendsAt, until));
    }
    if (this.isWell) await this.end(client);
  }

  private send(client: Handle): void {
    const { world, random } = this;
    if (world.statuses.open.length >= MAX_OPEN) return;
    const timeoutMs = random.chance(0.9) ? world.mood.timeoutMs : Math.max(world.mood.timeoutMs / 2, 200);
    const controller = random.chance(0.1) ? new AbortController() : undefined;
    const status = world.statuses.called(timeoutMs, controller);
    this.totals.statuses++;
    const fill = random.chance(0.8) ? 8 : random.between(0, random.pick([3_000, 3_000, 100_000]));
    const payload = Buffer.from(`${status.id}:${"x".repeat(fill)}`, "latin1");
    const options = controller === undefined ? { timeoutMs } : { timeoutMs, signal: controller.signal };
    const sent = this.library.exchange(client, payload, options);
    payload.fill(0x21); // the bytes are the caller's again
    void sent.then(
      (outcome) => this.settled(status, outcome.isOk() ? outcome.value : outcome.error.code),
      (thrown: unknown) => world.violate(`an exchange rejected: ${String(thrown)}`),
    );
  }

  private settled(status: Status, outcome: Uint8Array | string): void {
    const { world } = this;
    this.totals.count(typeof outcome === "string" ? outcome : "ok");
    if (typeof outcome === "string") {
      world.note(`status ${status.id} failed: ${outcome}`);
      return world.statuses.failed(status, outcome);
    }
    const completing = world.commands.completing(outcome);
    if (completing !== undefined) world.statuses.completed(status, completing.command, completing.former);
  }

  private async abortSome(): Promise<void> {
    const { random, world } = this;
    const abortable = world.statuses.open.find(({ controller, isAborted }) => controller !== undefined && !isAborted);
    if (abortable !== undefined && random.chance(0.02)) await this.call(() => this.abort(abortable));
  }

  private abort(status: Status): void {
    const { world } = this;
    world.note(`status ${status.id} is aborted`);
    world.hasInterfered = true;
    world.statuses.aborted(status);
    status.controller?.abort();
  }

  private async end(client: Handle): Promise<void> {
    const { world } = this;
    const ending = { isOver: false };
    await this.call(() => {
      this.destroy(client);
      void this.library.destroy(client).then(() => {
        ending.isOver = true;
        if (world.process.sockets.size > 0) world.violate("destroy was over before the sockets were gone");
      });
    });
    for (let turns = 0; turns < MAX_TURNS_OF_A_DESTROY; turns++) await world.process.turn(this.now);
    if (!ending.isOver) world.violate("destroy is not over");
    world.checkNothingIsLeft();
    this.forget();
  }

  /** Everything that a former client could still do is over. */
  private forget(): void {
    this.client = undefined;
    this.world.lastEndedAt = -Infinity;
    this.world.isConnected = false;
    this.world.statuses.reset();
    this.world.commands.reset();
  }

  private destroy(client: Handle): void {
    const { world } = this;
    world.note("the client is destroyed by its owner");
    world.hasInterfered = true;
    world.isDestroying = true;
    world.statuses.destroyed();
    void this.library.destroy(client);
    world.isEnded = true;
  }

  private callWithin(channel: string): void {
    const { world, random, client } = this;
    if (client === undefined) return;
    const what = random.pick(["sends", "sends", "aborts", "reads", "works", "destroys"]);
    world.note(`a listener of ${channel} ${what}`);
    if (what === "sends") return this.send(client);
    if (what === "reads") return void this.library.getCommand(client);
    if (what === "works") return world.process.freeze(random.pick([1, 100, 20_000]) * random.next());
    if (what === "destroys") return random.chance(0.2) ? this.destroy(client) : undefined;
    const abortable = world.statuses.open.find(({ controller, isAborted }) => controller !== undefined && !isAborted);
    if (abortable !== undefined) this.abort(abortable);
  }

  private checkLatest(): void {
    const { world, client } = this;
    if (client === undefined || world.isEnded) return;
    const latest = this.library.getCommand(client);
    if (latest.isErr()) return world.violate(`getCommand has ${latest.error.code} where a command arrived`);
    const text = Buffer.from(latest.value).toString("latin1");
    if (text !== world.commands.latest) world.violate(`getCommand has ${text.slice(0, 20)}, which is not the latest`);
  }

  private async rest(milliseconds: number): Promise<void> {
    for (const until = this.now + milliseconds; this.now < until;) await this.world.process.turn(until);
  }

  private call(callback: () => void): Promise<void> {
    return this.world.process.call(callback);
  }

  private ran({ at, frozenMs }: { at: number; frozenMs: number }): number {
    return this.now - at - (this.world.process.frozenMs - frozenMs);
  }

  private get now(): number {
    return this.world.clock.now;
  }

  private get isWell(): boolean {
    return this.world.judge.violation === undefined;
  }

  private get random() {
    return this.world.random;
  }
}
