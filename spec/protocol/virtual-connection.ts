import {
  begin,
  transition,
  type ConnectionState,
  type Effect,
  type Input,
  type Limits,
  type Step,
} from "../../lib/protocol/connection.js";
import type { Addressee } from "../../lib/protocol/server-messages.js";
import { fromHex, hex } from "../support/bytes.js";

/** An effect as one line. What is told for people to read is left out. */
export function shownEffect(effect: Effect): string {
  switch (effect.type) {
    case "deliver":
      return `deliver ${hex(effect.command)}${effect.completes ? " as the answer" : ""}`;
    case "refused":
      return `refused ${effect.code}${effect.willAskAgain ? ", will ask again" : ""}`;
    case "sendStatus":
      return effect.afterReconnect ? "sendStatus after reconnecting" : "sendStatus";
    case "failStatus":
      return `failStatus ${effect.failure.code}`;
    case "end":
      return effect.failure === undefined ? "end" : `end ${effect.failure.code}`;
    case "open":
    case "sendConnect":
    case "close":
    case "connected":
    case "reconnected":
    case "dropped":
    case "ignored":
      return effect.type;
  }
}

export const closed: Input = { type: "closed", cause: undefined };

export const response = (responseType: number, addressee: Addressee = "own"): Input => ({
  type: "message",
  message: { kind: "connectResponse", responseType, addressee },
});

export const accepted = response(0);
export const alreadyConnected = response(1);

export const command = (bytes: string, addressee: Addressee = "own"): Input => ({
  type: "message",
  message: { kind: "command", command: fromHex(bytes), addressee },
});

/** A command that stood behind the connect response in one chunk. */
export const earlyCommand = (bytes: string, addressee: Addressee = "own"): Input => ({
  type: "message",
  message: { kind: "command", command: fromHex(bytes), addressee },
  isEarly: true,
});

export const undecodable: Input = {
  type: "message",
  message: { kind: "undecodable", detail: "half of it is missing" },
};

/** The state machine with a clock that goes only where it is told, and a log of what it wants done. */
export class VirtualConnection {
  now = 0;
  state: ConnectionState;
  readonly log: { readonly at: number; readonly effect: Effect }[] = [];

  constructor(readonly limits: Limits) {
    const step = begin(this.now, limits);
    this.state = step.state;
    this.carryOut(step);
  }

  /** A connection that stands, at time 0, with an empty log. */
  static idle(limits: Limits): VirtualConnection {
    const connection = new VirtualConnection(limits);
    connection.feed({ type: "opened" });
    connection.feed(accepted);
    connection.log.length = 0;
    return connection;
  }

  get kind(): string {
    return this.state.kind;
  }

  get deadline(): number | undefined {
    return this.state.deadline;
  }

  feed(input: Input): readonly Effect[] {
    const step = transition(this.state, input, this.now, this.limits);
    this.carryOut(step);
    return step.effects;
  }

  /** Lets time pass; the deadlines on the way are told, each at its time. */
  wait(milliseconds: number): void {
    const until = this.now + milliseconds;
    for (let next = this.deadline; next !== undefined && next <= until; next = this.deadline) {
      this.now = next;
      this.feed({ type: "deadlinePassed" });
    }
    this.now = until;
  }

  /** When effects of that kind were wanted. */
  timesOf(type: Effect["type"]): number[] {
    return this.log.filter(({ effect }) => effect.type === type).map(({ at }) => at);
  }

  /** What was wanted since the last call, one line each with its time. */
  take(): string[] {
    return this.log.splice(0).map(({ at, effect }) => `${at}: ${shownEffect(effect)}`);
  }

  private carryOut(step: Step): void {
    this.state = step.state;
    for (const effect of step.effects) this.log.push({ at: this.now, effect });
  }
}
