import { setTimeout as sleep } from "node:timers/promises";
import {
  connect,
  destroy,
  exchange,
  getCommand,
  type ClientHandle,
  type Stream,
  type SendStatusOptions,
} from "../../lib/index.js";
import { commands } from "../../lib/throwing.js";
import { commandFrame, connectResponseFrame, frame, type ConnectFault, type StatusFault } from "../../lib/testing.js";
import { Ledger, readTag } from "../soak/ledger.js";
import { SLOW_MS, startTaggedGateway, statusOf, type TaggedGateway, type Wish } from "../soak/tagged-gateway.js";
import { withoutStretches, type Kind, type Tally } from "./kind.js";
import { Random } from "./random.js";

// Runs of a real client against the testing gateway, held against a plain model: what each call may give.

const device = { module: 1000, deviceType: 0, deviceRole: "fuzzed", deviceName: "button1", priority: 0 };
const another = { ...device, deviceRole: "another" };
const SETTLES_WITHIN_MS = 10_000;
const MODULE_TIMEOUT_MS = 30;
const SHORT_TIMEOUT_MS = 150;

/** What the gateway does to a connect, and what the call then gives. */
const connectFaults = {
  "refused as connected": [{ do: "refuse", responseType: 1 }, "DEVICE_ALREADY_CONNECTED"],
  "refused module": [{ do: "refuse", responseType: 2 }, "MODULE_NOT_SUPPORTED"],
  "refused type": [{ do: "refuse", responseType: 3 }, "DEVICE_TYPE_NOT_SUPPORTED"],
  "refused priority": [{ do: "refuse", responseType: 4 }, "HIGHER_PRIORITY_ALREADY_CONNECTED"],
  "unknown response": [{ do: "refuse", responseType: 99 }, "NOT_OK"],
  closed: [{ do: "close" }, "UNABLE_TO_CONNECT"],
  "closed within": [{ do: "close", afterBytes: 7 }, "UNABLE_TO_CONNECT"],
  reset: [{ do: "reset" }, "UNABLE_TO_CONNECT"],
  "empty message": [{ do: "send", bytes: Uint8Array.of(0, 0, 0, 0) }, "NOT_OK"],
  "response for another": [{ do: "send", bytes: connectResponseFrame(another, 0) }, "DEVICE_INCORRECT"],
  "command in its place": [{ do: "send", bytes: commandFrame(device, Uint8Array.of(1)) }, "UNABLE_TO_CONNECT"],
  dripped: [{ do: "drip", bytes: 3 }, "Ok"],
} as const satisfies Record<string, readonly [ConnectFault, string]>;

/** What the gateway does to a status; `"again"` means that the client tries once more if it still may. */
const statusFaults = {
  closed: [{ do: "close" }, "again"],
  "closed within": [{ do: "close", afterBytes: 9 }, "again"],
  reset: [{ do: "reset" }, "again"],
  silence: [{ do: "stay silent" }, "again"],
  "empty message": [{ do: "send", bytes: Uint8Array.of(0, 0, 0, 0) }, "COMMAND_INCORRECT"],
  garbage: [{ do: "send", bytes: frame(Uint8Array.of(0xff, 0xff)) }, "COMMAND_INCORRECT"],
  "connect response": [{ do: "send", bytes: connectResponseFrame(device, 0) }, "COMMAND_INCORRECT"],
  "command for another": [{ do: "send", bytes: commandFrame(another, Uint8Array.of(1)) }, "DEVICE_INCORRECT"],
  dripped: [{ do: "drip", bytes: 5 }, "Ok"],
  "header alone first": [{ do: "delay", ms: 1, afterBytes: 4 }, "Ok"],
} as const satisfies Record<string, readonly [StatusFault, string]>;

type Step =
  | { readonly do: "connect"; readonly fault?: keyof typeof connectFaults }
  | {
      readonly do: "send";
      readonly wishes: readonly Wish[];
      readonly fault?: keyof typeof statusFaults;
      readonly times?: number;
    }
  | { readonly do: "push"; readonly count: number }
  | { readonly do: "kick"; readonly reset: boolean; readonly noticed: boolean }
  | { readonly do: "restart"; readonly downMs: number }
  | { readonly do: "abort"; readonly when: "before" | "waiting" | "in flight" }
  | { readonly do: "misuse" }
  | { readonly do: "destroy" }
  | { readonly do: "race"; readonly seed: number };

interface Run {
  readonly steps: readonly Step[];
}

export const clientRuns: Kind<Run> = {
  name: "runs of a client",
  generate: (random) => ({
    steps: [{ do: "connect" }, ...Array.from({ length: random.between(4, 14) }, () => step(random))],
  }),
  check: ({ steps }, tally) => run(steps, tally),
  *shrink({ steps }) {
    for (const fewer of withoutStretches(steps)) yield { steps: fewer };
  },
  show: ({ steps }) => steps.map((one) => JSON.stringify(one)).join(" "),
  mostShrinks: 60,
};

const faultsOfConnect = Object.keys(connectFaults) as (keyof typeof connectFaults)[];
const faultsOfStatus = Object.keys(statusFaults) as (keyof typeof statusFaults)[];
const harmless: readonly Wish[] = ["answer", "answer", "answer", "push first", "push afterwards", "push both"];

function step(random: Random): Step {
  switch (random.between(0, 15)) {
    case 0:
    case 1:
      return { do: "connect" };
    case 2:
      return { do: "connect", fault: random.pick(faultsOfConnect) };
    case 3:
      return { do: "kick", reset: random.chance(0.5), noticed: random.chance(0.5) };
    case 4:
      return { do: "restart", downMs: random.pick([0, 5]) };
    case 5:
      return { do: "abort", when: random.pick(["before", "waiting", "in flight"]) };
    case 6:
      return { do: "push", count: random.between(1, 4) };
    case 7:
      return random.chance(0.3) ? { do: "destroy" } : { do: "misuse" };
    case 8:
    case 9:
      return { do: "race", seed: random.between(0, 2 ** 31) };
    case 10:
    case 11:
    case 12: {
      const wishes = Array.from({ length: random.between(1, 3) }, () => "answer" as const);
      return { do: "send", wishes, fault: random.pick(faultsOfStatus), times: random.chance(0.2) ? 2 : 1 };
    }
    case 13:
      return random.chance(0.3)
        ? { do: "send", wishes: ["reject", "answer"] }
        : { do: "send", wishes: ["answer slowly", "answer"] };
    default:
      return { do: "send", wishes: Array.from({ length: random.between(1, 5) }, () => random.pick(harmless)) };
  }
}

async function run(steps: readonly Step[], tally: Tally): Promise<string | undefined> {
  const tagged = await startTaggedGateway({ moduleTimeoutMs: MODULE_TIMEOUT_MS });
  const model = new Model(tagged, tally);
  try {
    for (const [index, one] of steps.entries()) {
      tagged.gateway.behave();
      try {
        await inTime(model.take(one), "the step");
        await inTime(model.rest(), "the pause after it");
      } catch (thrown) {
        if (!(thrown instanceof Disagreement)) throw thrown;
        return `step ${index + 1}, ${JSON.stringify(one)}: ${thrown.message}`;
      }
    }
    return undefined;
  } finally {
    await model.end();
    await tagged.stop();
  }
}

class Disagreement extends Error {}

async function inTime<T>(work: Promise<T>, what: string): Promise<T> {
  const timer = new AbortController();
  const tooLate = sleep(SETTLES_WITHIN_MS, undefined, { signal: timer.signal }).then(
    () => {
      throw new Disagreement(`${what} did not come to its end`);
    },
    () => undefined as never,
  );
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    timer.abort();
  }
}

function expected(what: string, given: string, allowed: readonly string[]): void {
  if (!allowed.includes(given)) throw new Disagreement(`${what} gave ${given}, allowed is ${allowed.join(" or ")}`);
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo(); waited++) {
    if (waited > 2_000) throw new Disagreement(`in vain waited until ${what}`);
    await sleep(1);
  }
}

interface Outcome {
  readonly status: number;
  /** "own" for the status's own answer, "another" for another command, else the error's code. */
  readonly gave: string;
  readonly tookMs: number;
}

/** The client that is under test, what is expected of it, and the account of its commands. */
class Model {
  /** "lost": the gateway has ended the connection, whether or not the client has noticed. */
  private phase: "none" | "live" | "lost" | "destroyed" = "none";
  private handle: ClientHandle | undefined;
  private stream: Stream<Uint8Array> | undefined;
  private reading: Promise<void> | undefined;
  private ledger: Ledger;
  private lastCommand: Uint8Array | undefined;
  private statuses = 0;

  constructor(
    private readonly tagged: TaggedGateway,
    private readonly tally: Tally,
  ) {
    this.ledger = this.newLedger();
  }

  take(step: Step): Promise<void> {
    this.tally(`step: ${step.do}`);
    switch (step.do) {
      case "connect":
        if (step.fault !== undefined) return this.destroy().then(() => this.connect(step.fault));
        return this.phase === "live" ? this.connectTwice() : this.connect(undefined);
      case "destroy":
        return this.destroy();
      case "push":
        return this.push(step.count);
      case "kick":
        return this.kick(step.reset, step.noticed);
      case "restart":
        return this.restart(step.downMs);
      default:
    }
    if (this.handle === undefined) return Promise.resolve();
    switch (step.do) {
      case "send":
        return this.send(this.handle, step);
      case "abort":
        return this.abort(this.handle, step.when);
      case "misuse":
        return this.misuse(this.handle);
      case "race":
        return this.race(this.handle, new Random(step.seed));
    }
  }

  async end(): Promise<void> {
    if (this.handle !== undefined) await destroy(this.handle);
    await this.reading;
  }

  /** What must be true after each step, once everything that is under way has arrived. */
  async rest(): Promise<void> {
    if (this.handle === undefined) return;
    const { handle, ledger, tagged } = this;
    if (this.phase === "live" && ledger.last?.connection === tagged.connectionOf(device.deviceRole)) {
      await until("every command had arrived", () => ledger.last?.sequence === tagged.sentOn(device.deviceRole));
    }
    if (ledger.problems[0] !== undefined) throw new Disagreement(ledger.problems.join("; "));
    const latest = getCommand(handle);
    if (this.phase === "destroyed") {
      expected("getCommand", latest.isOk() ? "Ok" : latest.error.code, ["CONTEXT_INCORRECT"]);
      await this.reading; // commands() has ended
      ledger.close();
      return;
    }
    if (this.lastCommand === undefined) {
      expected("getCommand", latest.isOk() ? "Ok" : latest.error.code, ["NO_COMMAND_AVAILABLE"]);
    } else if (latest.isErr() || latest.value !== this.lastCommand) {
      throw new Disagreement("getCommand does not give the command that arrived last");
    }
  }

  // ——— the steps ———

  private async connect(fault: keyof typeof connectFaults | undefined): Promise<void> {
    if (this.phase === "lost") return; // it would take the slot from a client that may still come back
    const { gateway } = this.tagged;
    await until("the former client's socket was gone", () => gateway.openSockets === 0);
    const [planned, outcome] = fault === undefined ? [undefined, "Ok"] : connectFaults[fault];
    const giveUpAt = performance.now() + 1_000;
    for (;;) {
      if (planned !== undefined) gateway.misbehave("connect", planned);
      const connected = await connect({ host: gateway.host, port: gateway.port, device });
      const gave = connected.isOk() ? "Ok" : connected.error.code;
      this.tally(`connect: ${gave}`);
      // The slot of a status that was never answered is kept for a while; a first connect does not ask again.
      const isTaken = gave === "DEVICE_ALREADY_CONNECTED" && outcome === "Ok" && performance.now() < giveUpAt;
      if (!isTaken) expected("connect", gave, [outcome]);
      if (connected.isOk()) this.begin(connected.value);
      if (!isTaken) return;
      await sleep(5);
    }
  }

  private begin(handle: ClientHandle): void {
    this.handle = handle;
    this.phase = "live";
    this.lastCommand = undefined;
    this.ledger = this.newLedger();
    this.stream = commands(handle);
    this.reading = this.read(this.stream, this.ledger);
  }

  private async read(stream: Stream<Uint8Array>, ledger: Ledger): Promise<void> {
    for await (const command of stream) {
      this.lastCommand = command;
      ledger.arrived(command);
    }
  }

  private async connectTwice(): Promise<void> {
    const { host, port } = this.tagged.gateway;
    const second = await connect({ host, port, device });
    expected("a second connect", second.isOk() ? "Ok" : second.error.code, ["DEVICE_ALREADY_CONNECTED"]);
    await until("the second connection was gone", () => this.tagged.gateway.openSockets <= 1);
    this.tally("connect: refused while connected");
  }

  private async destroy(): Promise<void> {
    if (this.handle === undefined) return;
    await Promise.all([destroy(this.handle), destroy(this.handle)]);
    this.phase = "destroyed";
    const after = await exchange(this.handle, statusOf(0, "answer"));
    expected("a status after destroy", after.isOk() ? "Ok" : after.error.code, ["CONTEXT_INCORRECT"]);
  }

  private async push(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const reached = this.tagged.push(device.deviceRole);
      if (this.phase === "live" && !reached) throw new Disagreement("the gateway does not know the device");
    }
    if (this.phase !== "live") return;
    const { ledger, tagged } = this;
    const isThere = (): boolean => ledger.last?.sequence === tagged.sentOn(device.deviceRole);
    await until("the pushed commands had arrived", isThere);
  }

  private async kick(reset: boolean, noticed: boolean): Promise<void> {
    this.tagged.gateway.kick(undefined, { reset });
    if (this.phase !== "live") return;
    this.phase = "lost";
    if (noticed) await until("the client noticed", () => String(this.handle).includes("disconnected"));
  }

  private async restart(downMs: number): Promise<void> {
    await this.tagged.gateway.restart({ downMs });
    if (this.phase === "live") this.phase = "lost";
  }

  private async send(handle: ClientHandle, step: Extract<Step, { do: "send" }>): Promise<void> {
    const [fault, result] = step.fault === undefined ? [undefined, "Ok"] : statusFaults[step.fault];
    const times = step.times ?? 1;
    if (fault !== undefined) this.tagged.gateway.misbehave("status", fault, { times });
    const isSilent = fault?.do === "stay silent";
    const options = isSilent ? { timeoutMs: SHORT_TIMEOUT_MS } : {};
    const wasLost = this.phase === "lost";
    const outcomes = await Promise.all(step.wishes.map((wish) => this.exchange(handle, wish, options)));
    const isRejected = step.wishes[0] === "reject";
    const oneByOne = step.wishes.every((wish) => wish.startsWith("answer") || wish === "reject");

    // A reconnection because the connection was gone counts as the one.
    const attempts = wasLost ? 1 : 2;
    const failsForGood = isRejected || (result === "again" && times >= attempts);
    for (const [index, { status, gave, tookMs }] of outcomes.entries()) {
      const what = `status ${status}`;
      if (this.phase === "destroyed") {
        expected(what, gave, ["CONTEXT_INCORRECT"]);
      } else if (index > 0) {
        // With two faults in a row the second may meet the next status.
        const mayMeetFault = times > 1 && !failsForGood && index === 1;
        const next = mayMeetFault && result !== "again" && result !== "Ok" ? result : "own";
        expected(what, gave, oneByOne ? [next] : ["own", "another"]);
        this.phase = gave === "own" || gave === "another" ? "live" : "lost";
      } else if (failsForGood) {
        const hasTimedOut = isSilent && times >= attempts;
        expected(what, gave, [hasTimedOut ? "TIMEOUT_OCCURRED" : "UNABLE_TO_CONNECT"]);
        this.phase = "destroyed";
      } else if (result === "COMMAND_INCORRECT" || result === "DEVICE_INCORRECT") {
        expected(what, gave, [result]);
        this.phase = "lost";
      } else {
        const isLate = isSilent && tookMs >= 2 * SHORT_TIMEOUT_MS; // a slow machine
        const own = oneByOne ? ["own"] : ["own", "another"];
        expected(what, gave, isLate ? [...own, "TIMEOUT_OCCURRED"] : own);
        this.phase = gave === "TIMEOUT_OCCURRED" ? "destroyed" : "live";
      }
    }
  }

  private async abort(handle: ClientHandle, when: "before" | "waiting" | "in flight"): Promise<void> {
    const { phase } = this;
    const abort = new AbortController();
    const { signal } = abort;
    if (when === "before") abort.abort();
    const ahead = when === "waiting" ? this.exchange(handle, "answer slowly") : undefined;
    const aborted = this.exchange(handle, when === "in flight" ? "answer slowly" : "answer", { signal });
    if (when === "in flight") await sleep(SLOW_MS / 3);
    abort.abort(new Error("enough"));
    const { gave, status } = await aborted;
    if (phase === "destroyed") {
      expected("an aborted status", gave, ["CONTEXT_INCORRECT"]);
      return;
    }
    // On a machine that stood still for a moment the answer may have come first.
    expected("an aborted status", gave, when === "in flight" ? ["NOT_OK", "own"] : ["NOT_OK"]);
    if (gave === "own") this.phase = "live";
    else if (when === "in flight") {
      this.ledger.dropped(status);
      this.phase = "lost";
    }
    if (ahead === undefined) return;
    expected("the status ahead of an aborted one", (await ahead).gave, ["own"]);
    this.phase = "live";
  }

  private async misuse(handle: ClientHandle): Promise<void> {
    const isDestroyed = this.phase === "destroyed";
    const wrong: readonly unknown[] = ["text", null, undefined, 7, {}, [1]];
    for (const status of wrong) {
      const given = await exchange(handle, status as Uint8Array);
      const gave = given.isOk() ? "Ok" : `${given.error.code} ${given.error.family}`;
      expected("a wrong status", gave, [isDestroyed ? "CONTEXT_INCORRECT usage" : "NOT_OK usage"]);
    }
  }

  /** Everything at once. What each call gives depends on the moment; that nothing is late, lost or doubled does not. */
  private async race(handle: ClientHandle, random: Random): Promise<void> {
    const calls: Promise<Outcome>[] = [];
    const happenings = random.between(5, 25);
    for (let i = 0; i < happenings; i++) {
      switch (random.between(0, 11)) {
        case 0:
          this.tagged.gateway.kick(undefined, { reset: random.chance(0.5) });
          break;
        case 1:
        case 2:
          this.tagged.push(device.deviceRole);
          break;
        case 3:
          await sleep(random.between(1, 10));
          break;
        case 4:
          await new Promise((resolve) => setImmediate(resolve));
          break;
        case 5:
          calls.push(this.exchange(handle, "answer", { signal: AbortSignal.timeout(random.between(0, 8)) }));
          break;
        case 6:
          if (random.chance(0.1)) await this.tagged.gateway.restart({ downMs: random.between(0, 3) });
          if (random.chance(0.05)) void destroy(handle);
          break;
        default:
          calls.push(this.exchange(handle, random.pick([...harmless, "answer slowly"])));
      }
    }
    const outcomes = await Promise.all(calls);
    const allowed = ["own", "another", "NOT_OK", "UNABLE_TO_CONNECT", "DEVICE_ALREADY_CONNECTED", "CONTEXT_INCORRECT"];
    for (const { status, gave } of outcomes) expected(`status ${status}`, gave, allowed);
    await this.afterTheRace(handle, outcomes);
  }

  private async afterTheRace(handle: ClientHandle, outcomes: readonly Outcome[]): Promise<void> {
    const isDestroyed = String(handle).includes("destroyed");
    const deadly = ["UNABLE_TO_CONNECT", "DEVICE_ALREADY_CONNECTED", "CONTEXT_INCORRECT"];
    if (outcomes.some(({ gave }) => deadly.includes(gave)) && !isDestroyed) {
      throw new Disagreement("a status failed for good, and the client lives");
    }
    this.phase = isDestroyed ? "destroyed" : "live";
    if (isDestroyed) return;
    const probe = await this.exchange(handle, "answer");
    expected("a status after the race", probe.gave, ["own", "another"]);
    // Longer than a round trip, a slow answer included: whatever a push displaced has come by then.
    await sleep(2 * SLOW_MS);
    const second = await this.exchange(handle, "answer");
    expected("a status after a pause", second.gave, ["own"]);
  }

  // ——— calls ———

  private async exchange(handle: ClientHandle, wish: Wish, options: SendStatusOptions = {}): Promise<Outcome> {
    this.statuses += 1;
    const status = this.statuses;
    const { ledger } = this;
    const calledAt = performance.now();
    const outcome = await exchange(handle, statusOf(status, wish), options);
    const tookMs = performance.now() - calledAt;
    if (outcome.isErr()) {
      this.tally(`status: ${outcome.error.code}`);
      return { status, gave: outcome.error.code, tookMs };
    }
    ledger.completed(status, outcome.value);
    const gave = readTag(outcome.value).answers === status ? "own" : "another";
    this.tally(`status: ${gave === "own" ? "its own answer" : "another command"}`);
    return { status, gave, tookMs };
  }

  private newLedger(): Ledger {
    return new Ledger(device.deviceRole, () => this.tagged.connectionOf(device.deviceRole));
  }
}
