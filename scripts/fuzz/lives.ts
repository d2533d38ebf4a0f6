import {
  ASK_AGAIN_EVERY_MS,
  ASK_AGAIN_FOR_MS,
  RECONNECT_PAUSE_MS,
  begin,
  transition,
  type ConnectionState,
  type Effect,
  type Input,
  type Limits,
  type Step,
} from "../../lib/protocol/connection.js";
import { withoutStretches, type Kind, type Tally } from "./kind.js";
import type { Random } from "./random.js";

/** What happens to a client, one thing after the other, in a time of its own. */
interface Life {
  readonly limits: Limits;
  readonly happenings: readonly Happening[];
}

interface Happening {
  readonly after: number;
  /** `"next"` is what brings the client on, whatever it waits for; it makes the long lives. */
  readonly what: keyof typeof inputs | "next" | "status" | "abandon";
  readonly timeoutMs: number;
}

const COMMAND = Uint8Array.of(1, 2, 3);
const command = (addressee: "own" | "other" | "none") => ({
  type: "message" as const,
  message: { kind: "command" as const, command: COMMAND, addressee },
});
const response = (responseType: number, addressee: "own" | "other" | "none" = "own"): Input => ({
  type: "message",
  message: { kind: "connectResponse", responseType, addressee },
});

const inputs = {
  opened: { type: "opened" },
  accepted: response(0),
  "already connected": response(1),
  "module not supported": response(2),
  "type not supported": response(3),
  "higher priority": response(4),
  "unknown response": response(77),
  "response for another": response(0, "other"),
  "response for nobody": response(0, "none"),
  command: command("own"),
  /** One whose first byte had come before the status went out. */
  "early command": { ...command("own"), isEarly: true },
  "command for another": command("other"),
  "command for nobody": command("none"),
  undecodable: { type: "message", message: { kind: "undecodable", detail: "garbage" } },
  "broken stream": { type: "brokenStream", detail: "a length of 0" },
  closed: { type: "closed", cause: undefined },
  reset: { type: "closed", cause: new Error("ECONNRESET") },
  "deadline before its time": { type: "deadlinePassed" },
  destroy: { type: "destroy" },
} as const satisfies Record<string, Input>;

const rare = Object.keys(inputs) as (keyof typeof inputs)[];
const common = [
  "status",
  "command",
  "early command",
  "closed",
  "closed",
  "reset",
  "already connected",
  "already connected",
  "abandon",
  "undecodable",
] as const;

export const lives: Kind<Life> = {
  name: "lives of a connection",
  generate,
  check: (life, tally) => new Owner(life, tally).live(),
  *shrink({ limits, happenings }) {
    for (const fewer of withoutStretches(happenings)) yield { limits, happenings: fewer };
  },
  show: ({ limits, happenings }) =>
    `connectTimeoutMs ${limits.connectTimeoutMs}: ${happenings
      .map(({ after, what, timeoutMs }) => `+${after} ${what}${what === "status" ? ` (${timeoutMs})` : ""}`)
      .join(", ")}`,
  mostShrinks: 20_000,
};

function generate(random: Random): Life {
  const isCalm = random.chance(0.8);
  const happenings = Array.from({ length: random.between(2, 40) }, () => happening(random, isCalm));
  // Half of all lives get past their beginning unharmed.
  if (random.chance(0.5)) happenings.unshift(...Array.from({ length: 3 }, () => onwards(random)));
  return { limits: { connectTimeoutMs: random.pick([1, 20, 300, 4_000]) }, happenings };
}

function onwards(random: Random): Happening {
  return { after: 0, what: "next", timeoutMs: random.pick([1, 50, 300, 10_000]) };
}

function happening(random: Random, isCalm: boolean): Happening {
  if (random.chance(isCalm ? 0.6 : 0.3)) return onwards(random);
  return {
    after: random.chance(0.8) ? random.pick([0, 0, 1, 2, 5]) : random.pick([20, 100, 1_000, 11_000]),
    what: random.chance(isCalm ? 0.98 : 0.7) ? random.pick(common) : random.pick(rare),
    timeoutMs: random.pick([1, 50, 300, 10_000]),
  };
}

interface StatusInHand {
  readonly givenAt: number;
  readonly timeoutMs: number;
  sends: number;
  /** When it was sent on the connection of now; undefined while it was not. */
  sentAt: number | undefined;
  opens: number;
}

/** Carries out what the machine says, as a client does, and finds fault with it. */
class Owner {
  private now = 0;
  private state: ConnectionState = { kind: "ended" };
  private hasConnection = false;
  private wasConnected = false;
  private connectIsOver = false;
  private isEnded = false;
  private inHand: StatusInHand | undefined;
  private droppedAt = -Infinity;
  private askedAgain = false;
  private deadlineWasEarly = false;
  private isEarly = false;
  private problem: string | undefined;

  constructor(
    private readonly life: Life,
    private readonly tally: Tally,
  ) {}

  live(): string | undefined {
    this.carryOut(begin(this.now, this.life.limits));
    for (const happening of this.life.happenings) {
      this.passTime(happening.after);
      this.happen(happening);
      if (this.problem !== undefined) return this.problem;
    }
    // Nothing more happens: whatever is under way has to come to its end by itself.
    this.passTime(2 * 10_000 + this.life.limits.connectTimeoutMs + ASK_AGAIN_FOR_MS + 1);
    if (this.inHand !== undefined) this.fault("a status was never settled");
    if (!this.connectIsOver) this.fault("the connect was never settled");
    if (this.state.deadline !== undefined) this.fault("a deadline is left when nothing is under way");
    return this.problem;
  }

  private happen({ what, timeoutMs }: Happening): void {
    if (what === "next") return this.bringOn(timeoutMs);
    if (what === "status") return this.give(timeoutMs);
    if (what === "abandon") return this.abandon();
    if (what === "deadline before its time") this.deadlineWasEarly = true;
    this.feed(inputs[what]);
  }

  private bringOn(timeoutMs: number): void {
    switch (this.state.kind) {
      case "opening":
        return this.feed(inputs.opened);
      case "introducing":
        return this.feed(inputs.accepted);
      case "exchanging":
        return this.feed(inputs.command);
      case "pausing":
        return this.passTime(this.state.deadline - this.now);
      case "idle":
      case "dropped":
        return this.give(timeoutMs);
      case "ended":
        return;
    }
  }

  private give(timeoutMs: number): void {
    if (this.isEnded) return this.feed({ type: "status", timeoutMs });
    if (!this.wasConnected || this.inHand !== undefined) return; // an owner does not do that
    this.inHand = { givenAt: this.now, timeoutMs, sends: 0, sentAt: undefined, opens: 0 };
    this.feed({ type: "status", timeoutMs });
  }

  private abandon(): void {
    if (this.inHand === undefined) return;
    const wasOut = this.inHand.sentAt !== undefined;
    this.settle("abandoned");
    this.feed({ type: "abandon" });
    if (wasOut && this.hasConnection) this.fault("an abandoned status's connection was kept");
  }

  private passTime(milliseconds: number): void {
    const until = this.now + milliseconds;
    for (let turns = 0; ; turns++) {
      const deadline = this.state.deadline;
      if (deadline === undefined || deadline > until) break;
      if (turns > 1_000) return this.fault("deadlines without an end");
      this.now = Math.max(this.now, deadline);
      this.feed({ type: "deadlinePassed" });
    }
    this.now = until;
  }

  private feed(input: Input): void {
    if (input.type === "closed" && this.hasConnection) this.loseConnection();
    this.isEarly = input.type === "message" && input.isEarly === true;
    const wasEnded = this.isEnded;
    const step = transition(this.state, input, this.now, this.life.limits);
    if (wasEnded && (step.effects.length > 0 || step.state.kind !== "ended")) this.fault("a word after the end");
    this.carryOut(step);
  }

  private carryOut({ state, effects }: Step): void {
    this.state = state;
    for (const effect of effects) this.run(effect);
    if (this.isEnded !== (state.kind === "ended"))
      this.fault(`${state.kind}, but end was ${this.isEnded ? "" : "not "}told`);
    if ((state.kind === "exchanging") !== (this.inHand?.sentAt !== undefined)) {
      this.fault(`${state.kind}, but the status is ${this.inHand?.sentAt === undefined ? "not " : ""}out`);
    }
    if (!this.hasConnection && ["opening", "introducing", "idle", "exchanging"].includes(state.kind)) {
      this.fault(`${state.kind} without a connection`);
    }
    if (this.hasConnection && ["dropped", "pausing", "ended"].includes(state.kind)) {
      this.fault(`${state.kind} with a connection left open`);
    }
    const deadline = state.deadline;
    if (deadline !== undefined && deadline < this.now) this.fault("a deadline in the past");
  }

  private run(effect: Effect): void {
    switch (effect.type) {
      case "open":
        return this.open();
      case "sendConnect":
        if (!this.hasConnection) this.fault("a connect is sent without a connection");
        return;
      case "sendStatus":
        return this.send();
      case "close":
        if (!this.hasConnection) this.fault("closes what is not open");
        return this.loseConnection();
      case "connected":
        if (this.connectIsOver) this.fault("the connect was settled twice");
        this.settleConnect("connected");
        this.wasConnected = true;
        return;
      case "reconnected":
        if (this.inHand === undefined) this.fault("reconnected for no status");
        return this.tally("reconnections");
      case "deliver":
        return this.deliver(effect.command, effect.completes);
      case "failStatus":
        if (this.inHand === undefined) this.fault("a status failed that nobody awaits");
        if (this.hasConnection) this.fault("a failed status's connection was kept");
        return this.settle(effect.failure.code);
      case "end":
        return this.end(effect.failure?.code);
      case "refused":
        this.askedAgain ||= effect.willAskAgain;
        if (effect.willAskAgain && this.inHand === undefined) this.fault("asks again for nobody");
        return;
      case "dropped":
      case "ignored":
        return;
    }
  }

  private open(): void {
    if (this.hasConnection) this.fault("opens a second connection");
    this.hasConnection = true;
    if (!this.connectIsOver) return;
    if (this.inHand === undefined) return this.fault("reconnects without a status");
    this.inHand.opens += 1;
    const mostOpens = 1 + ASK_AGAIN_FOR_MS / ASK_AGAIN_EVERY_MS;
    if (this.inHand.opens > mostOpens) this.fault(`opens connection ${this.inHand.opens} for one status`);
    if (this.inHand.opens > 1 && !this.askedAgain)
      this.fault("connects again for another reason than ALREADY_CONNECTED");
    const pause = this.askedAgain ? ASK_AGAIN_EVERY_MS : RECONNECT_PAUSE_MS;
    if (!this.deadlineWasEarly && this.now - this.droppedAt < pause) this.fault("reconnects too early");
    this.askedAgain = false;
  }

  private loseConnection(): void {
    this.hasConnection = false;
    this.droppedAt = this.now;
    if (this.inHand !== undefined) this.inHand.sentAt = undefined;
  }

  private send(): void {
    if (this.inHand === undefined) return this.fault("sends a status that nobody gave");
    if (!this.hasConnection) this.fault("sends a status without a connection");
    if (this.inHand.sentAt !== undefined) this.fault("sends a status twice on one connection");
    this.inHand.sends += 1;
    this.inHand.sentAt = this.now;
    if (this.inHand.sends > 2) this.fault("sends a status a third time");
  }

  private deliver(bytes: Uint8Array, completes: boolean): void {
    if (bytes !== COMMAND) this.fault("delivers what did not arrive");
    if (!this.hasConnection) this.fault("delivers without a connection");
    const belongs = this.inHand !== undefined && !this.isEarly;
    if (completes !== belongs) this.fault("a command and the status in hand do not go together");
    if (!completes) return this.tally("commands without a status");
    if (this.inHand?.sentAt === undefined) this.fault("completes a status that is not out");
    this.settle("completed");
  }

  private end(code: string | undefined): void {
    if (this.isEnded) this.fault("ends twice");
    this.isEnded = true;
    if (!this.connectIsOver) return this.settleConnect(code ?? "destroyed while connecting");
    if (code === "TIMEOUT_OCCURRED" && this.inHand?.sends === 0) this.fault("a status that never went out timed out");
    if (this.inHand !== undefined) return this.settle(code ?? "destroyed");
    if (code !== undefined) this.fault("fails with no status in hand");
  }

  private settleConnect(how: string): void {
    this.connectIsOver = true;
    this.tally(`connect: ${how}`);
    if (this.now > this.life.limits.connectTimeoutMs) this.fault(`the connect took ${this.now} ms`);
  }

  private settle(how: string): void {
    const settled = this.inHand;
    this.inHand = undefined;
    this.askedAgain = false;
    if (settled === undefined) return;
    this.tally(`status: ${how}`);
    const took = this.now - settled.givenAt;
    const most = 2 * settled.timeoutMs + this.life.limits.connectTimeoutMs + ASK_AGAIN_FOR_MS;
    if (took > most) this.fault(`a status took ${took} ms where ${most} are the most`);
  }

  private fault(what: string): void {
    this.problem ??= `${what}, at ${this.now} ms`;
  }
}
