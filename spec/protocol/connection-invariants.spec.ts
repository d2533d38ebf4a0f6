import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Effect, Input } from "../../lib/protocol/connection.js";
import { propertyRuns } from "../support/property-runs.js";
import {
  accepted,
  alreadyConnected,
  closed,
  command,
  earlyCommand,
  response,
  undecodable,
  VirtualConnection,
} from "./virtual-connection.js";

/** The states that have a connection, and those that want to be told of a deadline. */
const WITH_CONNECTION = ["opening", "introducing", "idle", "exchanging"];
const WITH_DEADLINE = ["opening", "introducing", "exchanging", "pausing"];

/** What a client may feed, by who tells it. The transport tells nothing without a connection. */
const fromTransport = fc.constantFrom<Input>(
  { type: "opened" },
  { type: "opened" },
  accepted,
  accepted,
  accepted,
  alreadyConnected,
  alreadyConnected,
  response(2),
  response(99),
  response(0, "other"),
  command("c0"),
  command("c0"),
  command("c0"),
  earlyCommand("c0"),
  earlyCommand("c0", "other"),
  command("c0", "other"),
  command("c0", "none"),
  undecodable,
  { type: "brokenStream", detail: "it announced a message of length 0" },
  closed,
  closed,
);
const fromCaller = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 50 }).map((timeoutMs): Input => ({ type: "status", timeoutMs })) },
  { weight: 2, arbitrary: fc.constant<Input>({ type: "abandon" }) },
  { weight: 1, arbitrary: fc.constant<Input>({ type: "destroy" }) },
);
const move = fc.oneof(
  { weight: 6, arbitrary: fromTransport },
  { weight: 4, arbitrary: fromCaller },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 100 }).map((wait) => ({ wait })) },
);

/** Keeps account of what the state machine wants, as the one who carries it out would. */
class Account {
  readonly connection = new VirtualConnection({ connectTimeoutMs: 40 });
  isConnected = false;
  hasEnded = false;
  statusInHand = false;
  settled = 0;
  submitted = 0;
  /** What has happened for the status in hand. */
  sent = 0;
  renewed = 0;
  /** Whether the message that is fed arrived before the status went out. */
  private isEarly = false;

  constructor() {
    this.check(this.connection.log.splice(0).map(({ effect }) => effect));
  }

  feed(input: Input): void {
    this.isEarly = input.type === "message" && input.isEarly === true;
    if (input.type === "closed") this.isConnected = false;
    if (input.type === "abandon") this.settle();
    if (input.type === "status") {
      this.submitted += 1;
      this.statusInHand = true;
      this.sent = 0;
      this.renewed = 0;
    }
    this.connection.feed(input);
    this.check(this.connection.log.splice(0).map(({ effect }) => effect));
  }

  /** Lets time pass up to the next deadline, and tells that when it is reached. */
  wait(milliseconds: number): void {
    const { connection } = this;
    const left = connection.deadline === undefined ? Infinity : connection.deadline - connection.now;
    connection.now += Math.min(left, milliseconds);
    if (left <= milliseconds) this.feed({ type: "deadlinePassed" });
  }

  private check(effects: readonly Effect[]): void {
    for (const effect of effects) this.carryOut(effect);
    const { kind, deadline } = this.connection;
    expect({ kind, hasDeadline: deadline !== undefined }).toEqual({ kind, hasDeadline: WITH_DEADLINE.includes(kind) });
    expect({ kind, isConnected: this.isConnected }).toEqual({ kind, isConnected: WITH_CONNECTION.includes(kind) });
    expect(this.hasEnded).toBe(kind === "ended");
    expect(this.submitted - this.settled).toBe(this.statusInHand ? 1 : 0);
    if (kind === "exchanging" || kind === "pausing") expect(this.statusInHand).toBe(true);
    if (kind === "idle" || kind === "dropped" || kind === "ended") expect(this.statusInHand).toBe(false);
  }

  private carryOut(effect: Effect): void {
    if (this.hasEnded) throw new Error(`After the end it wants ${effect.type}`);
    switch (effect.type) {
      case "open":
        expect(this.isConnected).toBe(false);
        this.isConnected = true;
        return;
      case "close":
        expect(this.isConnected).toBe(true);
        this.isConnected = false;
        return;
      case "sendConnect":
        expect(this.isConnected).toBe(true);
        return;
      case "sendStatus":
        expect({ connected: this.isConnected, inHand: this.statusInHand }).toEqual({ connected: true, inHand: true });
        this.sent += 1;
        expect(this.sent).toBeLessThanOrEqual(2);
        return;
      case "reconnected":
        this.renewed += 1;
        expect(this.renewed).toBe(1);
        return;
      case "deliver":
        expect(this.isConnected).toBe(true);
        expect(effect.completes).toBe(this.statusInHand && !this.isEarly);
        if (effect.completes) this.settle();
        return;
      case "failStatus":
        return this.settle();
      case "end":
        this.hasEnded = true;
        if (this.statusInHand) this.settle();
        return;
      case "connected":
        expect(this.submitted).toBe(0);
        return;
      case "refused":
      case "dropped":
      case "ignored":
        return;
    }
  }

  private settle(): void {
    expect(this.statusInHand).toBe(true);
    this.statusInHand = false;
    this.settled += 1;
  }
}

/** Whether a client would feed that input now. */
function isDue(account: Account, input: Input): boolean {
  const { kind } = account.connection;
  switch (input.type) {
    case "opened":
      return kind === "opening";
    case "message":
    case "brokenStream":
      return account.isConnected && kind !== "opening";
    case "closed":
      return account.isConnected;
    case "status":
      return !account.statusInHand && (kind === "idle" || kind === "dropped");
    case "abandon":
      return account.statusInHand;
    case "deadlinePassed":
    case "destroy":
      return true;
  }
}

describe("a connection that is told anything that can happen, in any order", () => {
  it("holds one connection at most and closes it when it leaves it, settles each status once, and rests when it has ended", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(move, { minLength: 5, maxLength: 80 }), (script) => {
        const account = new Account();
        for (const step of script) {
          if ("wait" in step) account.wait(step.wait);
          else if (isDue(account, step)) account.feed(step);
          seen.add(account.connection.kind);
        }
        account.feed({ type: "destroy" });
        expect(account.isConnected).toBe(false);
        expect(account.statusInHand).toBe(false);
        expect(account.connection.kind).toBe("ended");
      }),
      { ...propertyRuns, numRuns: 5 * propertyRuns.numRuns },
    );
    const all = ["dropped", "ended", "exchanging", "idle", "introducing", "opening", "pausing"];
    expect([...seen].sort()).toEqual(all);
  });

  it("never throws and wants nothing done after the end, even when it is told what cannot happen", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (script) => {
        const connection = new VirtualConnection({ connectTimeoutMs: 40 });
        for (const step of script) {
          if ("wait" in step) connection.wait(step.wait);
          else connection.feed(step);
        }
        const ends = connection.log.findIndex(({ effect }) => effect.type === "end");
        expect(ends).toBe(connection.kind === "ended" ? connection.log.length - 1 : -1);
      }),
      propertyRuns,
    );
  });

  it("makes nothing of what a connection that it has left still tells", () => {
    const left: VirtualConnection[] = [];
    for (const leave of [closed, undecodable] satisfies Input[]) {
      const dropped = VirtualConnection.idle({ connectTimeoutMs: 40 });
      dropped.feed(leave);
      const pausing = VirtualConnection.idle({ connectTimeoutMs: 40 });
      pausing.feed(leave);
      pausing.feed({ type: "status", timeoutMs: 50 });
      left.push(dropped, pausing);
    }
    for (const connection of left) {
      fc.assert(
        fc.property(fromTransport, (input) => {
          const before = connection.state;
          expect(connection.feed(input)).toEqual([]);
          expect(connection.state).toBe(before);
        }),
        { ...propertyRuns, numRuns: 100 },
      );
    }
  });
});
