import { Buffer } from "node:buffer";
import { DEVICE } from "./gateway.js";
import { listenToDiagnostics } from "./diagnostics.js";
import type { Handle, Outcome } from "./library.js";
import type { Status } from "./status-invariants.js";
import type { World } from "./world.js";

const HOUR_MS = 3_600_000;
const MAX_OPEN = 60;
const CONNECT_SLACK_MS = 60;

/** What one run counts. */
export interface Counts {
  clients: number;
  callBacks: number;
}

/** A device's program in one world: it connects, sends, aborts, is called back, destroys, and begins again. */
export class DeviceLife {
  readonly counts: Counts = { clients: 0, callBacks: 0 };

  private client: Handle | undefined;
  private keepProcessAlive = false;
  private hasEnded = false;
  private isConnected = false;
  private isCalledBack = false;
  private nextSendAt = 0;

  constructor(private readonly world: World) {}

  /** Until the time is over or something is violated. */
  async live(hours: number): Promise<void> {
    const { loop, invariants } = this.world;
    const until = loop.now + hours * HOUR_MS;
    const stopListening = listenToDiagnostics((name, message) => this.onDiagnostics(name, message));
    loop.afterStep = () => this.afterStep();
    try {
      while (loop.now < until && !invariants.hasViolation()) await this.liveOnce(until);
    } catch (thrown) {
      invariants.violated(`thrown: ${(thrown as Error).stack}`);
    } finally {
      stopListening();
    }
  }

  private async liveOnce(until: number): Promise<void> {
    const { loop, random, invariants, library } = this.world;
    this.keepProcessAlive = random.chance(0.5);
    const client = await this.connect();
    if (client === undefined) return this.pass(5_000);
    const end = Math.min(until, loop.now + HOUR_MS * random.next());
    this.nextSendAt = loop.now;
    while (loop.now < end && !this.hasEnded && !invariants.hasViolation()) await this.carryOn();
    if (invariants.hasViolation()) return;
    await this.within(200, "destroy", () => library.destroy(client));
    invariants.checkNothingIsLeft("destroy");
    this.client = undefined;
    this.world.invariants.commands.isRead = false;
  }

  // ——— connect ———

  private async connect(): Promise<Handle | undefined> {
    const { loop, weather, invariants, library, journal } = this.world;
    const { keepProcessAlive } = this;
    const { connectTimeoutMs } = weather;
    const config = { host: "10.0.0.1", port: 1636, device: DEVICE, connectTimeoutMs, keepProcessAlive };
    this.counts.clients += 1;
    this.hasEnded = false;
    const begunAt = loop.now;
    invariants.commands.latest = undefined;
    const outcome = await this.within(connectTimeoutMs + CONNECT_SLACK_MS, "connect", async () => {
      const connected = await library.connect(config);
      if ("value" in connected) this.connected(connected.value);
      return connected;
    });
    if (outcome === undefined || "value" in outcome) return outcome?.value;
    const { code, message } = outcome.error;
    journal.note(`connect failed: ${message.slice(0, 160)}`);
    invariants.statuses.count(`connect ${code}`);
    if (message.includes("in time")) invariants.limitStruck("connectTimeoutMs", connectTimeoutMs, begunAt);
    invariants.checkNothingIsLeft("a failed connect");
    return undefined;
  }

  private connected(client: Handle): void {
    const { library, invariants } = this.world;
    this.client = client;
    this.isConnected = true;
    invariants.commands.startReading();
    library
      .readCommands(client, (command) => invariants.commands.wasDelivered(command))
      .catch((error: unknown) => invariants.violated(`the reader of commands failed: ${String(error)}`));
  }

  // ——— statuses ———

  private async carryOn(): Promise<void> {
    const { loop, random, invariants, weather } = this.world;
    const { pauseMs } = weather;
    if (loop.now >= this.nextSendAt) {
      await loop.step(() => this.sendSome());
      this.nextSendAt = loop.now + random.pick([0, 1, 100, 1_000, pauseMs, pauseMs, pauseMs]) * (0.5 + random.next());
    }
    const { open } = invariants.statuses;
    const abortable = open.find(({ controller, isAborted }) => controller !== undefined && !isAborted);
    if (abortable !== undefined && random.chance(0.1)) {
      await loop.step(() => invariants.statuses.aborted(abortable));
    }
    await loop.turn(this.nextSendAt);
  }

  private sendSome(): void {
    const { random } = this.world;
    const count = random.chance(0.2) ? random.between(1, 20) : 1;
    for (let sent = 0; sent < count; sent++) this.send();
  }

  private send(): void {
    const { random, weather, invariants, library } = this.world;
    const { client } = this;
    if (client === undefined || invariants.statuses.open.length >= MAX_OPEN) return;
    const timeoutMs = random.chance(0.9) ? weather.timeoutMs : random.pick([50, 301]);
    const controller = random.chance(0.1) ? new AbortController() : undefined;
    const status = invariants.statuses.sending(timeoutMs, controller);
    const fill = "x".repeat(random.chance(0.8) ? 8 : random.between(0, 3_000));
    const bytes = Buffer.from(`${status.number}:${fill}`, "latin1");
    const signal = controller === undefined ? {} : { signal: controller.signal };
    const outcome = library.exchange(client, bytes, { timeoutMs, ...signal });
    bytes.fill("!"); // the bytes are ours again
    this.watch(status, outcome);
  }

  private watch(status: Status, outcome: Promise<Outcome<Uint8Array>>): void {
    const { invariants } = this.world;
    outcome
      .then((settled) => invariants.statuses.settle(status, settled))
      .catch((error: unknown) => invariants.violated(`exchange rejected: ${String(error)}`));
  }

  // ——— listeners that call back ———

  private onDiagnostics(
    name: string,
    message: { readonly client: unknown; readonly reason?: string; readonly willAskAgain?: boolean },
  ): void {
    if (this.client === undefined || message.client !== this.client) return;
    const { random, weather, invariants, journal } = this.world;
    if (name === "drop") {
      journal.note(`dropped: ${message.reason}`);
      invariants.statuses.gaveUp(message.reason ?? "");
    }
    if (name === "reconnect") invariants.statuses.reconnected();
    if (name === "command") invariants.commands.wasAnnounced();
    if (name === "reconnect" || name === "drop") this.isConnected = name === "reconnect";
    if (name === "refusal" && message.willAskAgain === true) invariants.statuses.asksAgain();
    if (name === "destroy") this.hasEnded = true;
    if (this.isCalledBack || !random.chance(weather.callBack)) return;
    this.isCalledBack = true;
    this.counts.callBacks += 1;
    this.callBack(name, this.client);
    this.isCalledBack = false;
  }

  private callBack(name: string, client: Handle): void {
    const { random, library, invariants, journal, loop } = this.world;
    const what = random.pick(["send", "send", "abort", "getCommand", "destroy", "be busy"] as const);
    journal.note(`a listener of ${name} calls back: ${what}`);
    switch (what) {
      case "send":
        return this.send();
      case "abort": {
        const { open } = invariants.statuses;
        const abortable = open.find(({ controller, isAborted }) => controller !== undefined && !isAborted);
        if (abortable !== undefined) invariants.statuses.aborted(abortable);
        return;
      }
      case "getCommand":
        return void library.getCommand(client);
      case "destroy":
        if (random.chance(0.2)) void library.destroy(client);
        return;
      case "be busy":
        return loop.freeze(random.pick([1, 40, 600]) * random.next());
    }
  }

  // ——— what they share ———

  private afterStep(): void {
    const { invariants } = this.world;
    invariants.afterStep();
    const { client } = this;
    if (client === undefined || this.hasEnded) return;
    this.checkLatest(client);
    invariants.checkLiveness(this.isConnected, this.keepProcessAlive);
  }

  private checkLatest(client: Handle): void {
    const { library, invariants } = this.world;
    const { latest } = invariants.commands;
    if (latest === undefined) return;
    const outcome = library.getCommand(client);
    const isLatest = "value" in outcome && Buffer.from(latest.bytes).equals(outcome.value);
    if (!isLatest) invariants.violated(`getCommand does not return ${latest.name}, the latest`);
  }

  private async pass(milliseconds: number): Promise<void> {
    const { loop } = this.world;
    const until = loop.now + milliseconds;
    while (await loop.turn(until));
  }

  /** Lets the world turn until the call has an outcome: that is a violation later than so much time of a running process. */
  private async within<Value>(
    milliseconds: number,
    what: string,
    call: () => Promise<Value>,
  ): Promise<Value | undefined> {
    const { loop, invariants } = this.world;
    const limit = loop.ranMs + milliseconds;
    let outcome: { readonly value: Value } | undefined;
    await loop.step(() => void call().then((value) => (outcome = { value })));
    while (outcome === undefined && !invariants.hasViolation()) {
      if (loop.ranMs > limit) invariants.violated(`${what} did not end within ${milliseconds} ms`);
      else await loop.turn(loop.now + 1 + limit - loop.ranMs);
    }
    return outcome?.value;
  }
}
