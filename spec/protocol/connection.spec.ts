import { describe, expect, it } from "@jest/globals";
import {
  begin,
  transition,
  type ConnectionState,
  type Failure,
  type Input,
  type Reconnection,
} from "../../lib/protocol/connection.js";
import {
  accepted,
  alreadyConnected,
  closed,
  command,
  earlyCommand,
  response,
  shownEffect,
  undecodable,
} from "./virtual-connection.js";

const now = 1_000;
const limits = { connectTimeoutMs: 400 };

/** A reconnection of a status of 50 ms, that had its first attempt, and may take until 1,600. */
const reconnection: Reconnection = { after: "closed", timeoutMs: 50, endsAt: 1_600, askUntil: undefined };

const ended: ConnectionState = { kind: "ended" };
const idle: ConnectionState = { kind: "idle" };
const dropped: ConnectionState = { kind: "dropped", at: now };

const states = {
  "opening its first connection": { kind: "opening", deadline: 1_300, reconnection: undefined },
  "introducing itself at first": { kind: "introducing", deadline: 1_300, reconnection: undefined },
  idle,
  "exchanging, first attempt": { kind: "exchanging", deadline: 1_030, timeoutMs: 50, reconnection: undefined },
  pausing: { kind: "pausing", deadline: 1_001, reconnection },
  "opening the reconnection": { kind: "opening", deadline: 1_300, reconnection },
  "introducing itself again": { kind: "introducing", deadline: 1_300, reconnection },
  "exchanging, last attempt": { kind: "exchanging", deadline: 1_030, timeoutMs: 50, reconnection },
  "dropped just now": { kind: "dropped", at: 999 },
  "dropped a while ago": { kind: "dropped", at: 998 },
  ended,
} as const satisfies Record<string, ConnectionState>;

const resetByPeer = new Error("read ECONNRESET");

const inputs = {
  opened: { type: "opened" },
  closed,
  reset: { type: "closed", cause: resetByPeer },
  "broken stream": { type: "brokenStream", detail: "it announced a message of length 0" },
  "deadline passed": { type: "deadlinePassed" },
  status: { type: "status", timeoutMs: 80 },
  abandon: { type: "abandon" },
  destroy: { type: "destroy" },
  "own command": command("c0"),
  "other's command": command("c0", "other"),
  "nobody's command": command("c0", "none"),
  "early own command": earlyCommand("c0"),
  "other's early command": earlyCommand("c0", "other"),
  "undecodable message": undecodable,
  accepted,
  "accepted for another": response(0, "other"),
  "accepted for nobody": response(0, "none"),
  "already connected": alreadyConnected,
  "already connected for another": response(1, "other"),
  "module not supported": response(2),
  "type not supported": response(3),
  "higher priority connected": response(4),
  "unknown response type": response(99),
} satisfies Record<string, Input>;

type StateName = keyof typeof states;
type InputName = keyof typeof inputs;
type Row = readonly [next: ConnectionState, ...effects: string[]];

const failsCommand: Row = [dropped, "close", "dropped", "failStatus COMMAND_INCORRECT"];
const failsDevice: Row = [dropped, "close", "dropped", "failStatus DEVICE_INCORRECT"];
const drops: Row = [dropped, "close", "dropped"];
const closesAndEnds = (code?: Failure["code"]): Row => [ended, "close", code === undefined ? "end" : `end ${code}`];
const refusedAndEnds = (code: string): Row => [ended, "close", `refused ${code}`, `end ${code}`];
const pausesAfterFirstAttempt = (after: Reconnection["after"]): ConnectionState => ({
  kind: "pausing",
  deadline: 1_002,
  reconnection: { after, timeoutMs: 50, endsAt: 1_000 + 400 + 350, askUntil: undefined },
});

/** What each input does in each state. An input that is not listed changes nothing and wants nothing done. */
const table: Record<StateName, Partial<Record<InputName, Row>>> = {
  "opening its first connection": {
    opened: [{ kind: "introducing", deadline: 1_300, reconnection: undefined }, "sendConnect"],
    closed: [ended, "end UNABLE_TO_CONNECT"],
    reset: [ended, "end UNABLE_TO_CONNECT"],
    "deadline passed": closesAndEnds("UNABLE_TO_CONNECT"),
    abandon: drops,
    destroy: closesAndEnds(),
  },
  "introducing itself at first": {
    closed: [ended, "end UNABLE_TO_CONNECT"],
    reset: [ended, "end UNABLE_TO_CONNECT"],
    "broken stream": closesAndEnds("NOT_OK"),
    "deadline passed": closesAndEnds("UNABLE_TO_CONNECT"),
    abandon: drops,
    destroy: closesAndEnds(),
    "own command": closesAndEnds("NOT_OK"),
    "other's command": closesAndEnds("NOT_OK"),
    "nobody's command": closesAndEnds("NOT_OK"),
    "early own command": closesAndEnds("NOT_OK"),
    "other's early command": closesAndEnds("NOT_OK"),
    "undecodable message": closesAndEnds("NOT_OK"),
    accepted: [idle, "connected"],
    "accepted for another": closesAndEnds("DEVICE_INCORRECT"),
    "accepted for nobody": closesAndEnds("DEVICE_INCORRECT"),
    "already connected": refusedAndEnds("DEVICE_ALREADY_CONNECTED"),
    "already connected for another": closesAndEnds("DEVICE_INCORRECT"),
    "module not supported": refusedAndEnds("MODULE_NOT_SUPPORTED"),
    "type not supported": refusedAndEnds("DEVICE_TYPE_NOT_SUPPORTED"),
    "higher priority connected": refusedAndEnds("HIGHER_PRIORITY_ALREADY_CONNECTED"),
    "unknown response type": closesAndEnds("NOT_OK"),
  },
  idle: {
    closed: [dropped, "dropped"],
    reset: [dropped, "dropped"],
    "broken stream": drops,
    status: [{ kind: "exchanging", deadline: 1_080, timeoutMs: 80, reconnection: undefined }, "sendStatus"],
    destroy: closesAndEnds(),
    "own command": [idle, "deliver c0"],
    "other's command": [idle, "ignored"],
    "nobody's command": drops,
    "early own command": [idle, "deliver c0"],
    "other's early command": [idle, "ignored"],
    "undecodable message": drops,
    accepted: drops,
    "accepted for another": drops,
    "accepted for nobody": drops,
    "already connected": drops,
    "already connected for another": drops,
    "module not supported": drops,
    "type not supported": drops,
    "higher priority connected": drops,
    "unknown response type": drops,
  },
  "exchanging, first attempt": {
    closed: [pausesAfterFirstAttempt("closed"), "dropped"],
    reset: [pausesAfterFirstAttempt("closed"), "dropped"],
    "broken stream": failsCommand,
    "deadline passed": [pausesAfterFirstAttempt("timed out"), "close", "dropped"],
    abandon: drops,
    destroy: closesAndEnds(),
    "own command": [idle, "deliver c0 as the answer"],
    "other's command": failsDevice,
    "nobody's command": failsDevice,
    "early own command": [states["exchanging, first attempt"], "deliver c0"],
    "other's early command": failsDevice,
    "undecodable message": failsCommand,
    accepted: failsCommand,
    "accepted for another": failsCommand,
    "accepted for nobody": failsCommand,
    "already connected": failsCommand,
    "already connected for another": failsCommand,
    "module not supported": failsCommand,
    "type not supported": failsCommand,
    "higher priority connected": failsCommand,
    "unknown response type": failsCommand,
  },
  pausing: {
    "deadline passed": [{ kind: "opening", deadline: 1_400, reconnection }, "open"],
    abandon: [dropped],
    destroy: [ended, "end"],
  },
  "opening the reconnection": {
    opened: [{ kind: "introducing", deadline: 1_300, reconnection }, "sendConnect"],
    closed: [ended, "end UNABLE_TO_CONNECT"],
    reset: [ended, "end UNABLE_TO_CONNECT"],
    "deadline passed": closesAndEnds("UNABLE_TO_CONNECT"),
    abandon: drops,
    destroy: closesAndEnds(),
  },
  "introducing itself again": {
    closed: [ended, "end UNABLE_TO_CONNECT"],
    reset: [ended, "end UNABLE_TO_CONNECT"],
    "broken stream": failsCommand,
    "deadline passed": closesAndEnds("UNABLE_TO_CONNECT"),
    abandon: drops,
    destroy: closesAndEnds(),
    "own command": failsCommand,
    "other's command": failsCommand,
    "nobody's command": failsCommand,
    "early own command": failsCommand,
    "other's early command": failsCommand,
    "undecodable message": failsCommand,
    accepted: [
      { kind: "exchanging", deadline: 1_050, timeoutMs: 50, reconnection },
      "reconnected",
      "sendStatus after reconnecting",
    ],
    "accepted for another": failsDevice,
    "accepted for nobody": failsDevice,
    "already connected": [
      { kind: "pausing", deadline: 1_005, reconnection: { ...reconnection, askUntil: 1_350 } },
      "close",
      "refused DEVICE_ALREADY_CONNECTED, will ask again",
    ],
    "already connected for another": failsDevice,
    "module not supported": refusedAndEnds("MODULE_NOT_SUPPORTED"),
    "type not supported": refusedAndEnds("DEVICE_TYPE_NOT_SUPPORTED"),
    "higher priority connected": refusedAndEnds("HIGHER_PRIORITY_ALREADY_CONNECTED"),
    "unknown response type": failsCommand,
  },
  "exchanging, last attempt": {
    closed: [ended, "end UNABLE_TO_CONNECT"],
    reset: [ended, "end UNABLE_TO_CONNECT"],
    "broken stream": failsCommand,
    "deadline passed": closesAndEnds("TIMEOUT_OCCURRED"),
    abandon: drops,
    destroy: closesAndEnds(),
    "own command": [idle, "deliver c0 as the answer"],
    "other's command": failsDevice,
    "nobody's command": failsDevice,
    "early own command": [states["exchanging, last attempt"], "deliver c0"],
    "other's early command": failsDevice,
    "undecodable message": failsCommand,
    accepted: failsCommand,
    "accepted for another": failsCommand,
    "accepted for nobody": failsCommand,
    "already connected": failsCommand,
    "already connected for another": failsCommand,
    "module not supported": failsCommand,
    "type not supported": failsCommand,
    "higher priority connected": failsCommand,
    "unknown response type": failsCommand,
  },
  "dropped just now": {
    status: [
      {
        kind: "pausing",
        deadline: 1_001,
        reconnection: { after: undefined, timeoutMs: 80, endsAt: 1_000 + 400 + 350, askUntil: undefined },
      },
    ],
    destroy: [ended, "end"],
  },
  "dropped a while ago": {
    status: [
      {
        kind: "opening",
        deadline: 1_400,
        reconnection: { after: undefined, timeoutMs: 80, endsAt: 1_000 + 400 + 350, askUntil: undefined },
      },
      "open",
    ],
    destroy: [ended, "end"],
  },
  ended: {},
};

const cases = Object.entries(table).flatMap(([state, rows]) =>
  (Object.keys(inputs) as InputName[]).map((input) => {
    const row = rows[input];
    const [next, ...effects] = row ?? [states[state as StateName]];
    const outcome = row === undefined ? "nothing" : [`it is ${next.kind}`, ...effects].join(", ");
    return { state: state as StateName, input, next, effects, outcome };
  }),
);

describe("a connection", () => {
  it("begins by opening", () => {
    const step = begin(now, limits);
    expect(step.state).toEqual({ kind: "opening", deadline: 1_400, reconnection: undefined });
    expect(step.effects.map(shownEffect)).toEqual(["open"]);
  });

  it.each(cases)("$state, on $input: $outcome", ({ state, input, next, effects }) => {
    const step = transition(states[state], inputs[input], now, limits);
    expect(step.state).toEqual(next);
    expect(step.effects.map(shownEffect)).toEqual(effects);
  });

  it("changes no state that it was given", () => {
    for (const { state, input } of cases) {
      const given = structuredClone(states[state]);
      transition(given, inputs[input], now, limits);
      expect(given).toEqual(states[state]);
    }
  });

  it.each([
    [1_000, 50, 1_050],
    [1_000.25, 50, 1_051],
    [1_000, 0.5, 1_001],
  ])(
    "gives a status that goes out at %s ms and has %s ms until %s ms, a whole number and never too early",
    (at, timeoutMs, deadline) => {
      expect(transition(idle, { type: "status", timeoutMs }, at, limits).state.deadline).toBe(deadline);
    },
  );

  it("has no deadline where nothing is under way", () => {
    expect(
      transition(states["introducing itself at first"], inputs.accepted, now, limits).state.deadline,
    ).toBeUndefined();
    expect(transition(idle, closed, now, limits).state.deadline).toBeUndefined();
    expect(transition(idle, { type: "destroy" }, now, limits).state.deadline).toBeUndefined();
  });
});

describe("what a failure says", () => {
  function failureOf(state: ConnectionState, input: Input): Failure {
    const { effects } = transition(state, input, now, limits);
    const failures = effects.map((effect) => ("failure" in effect ? effect.failure : undefined));
    return failures.find((failure) => failure !== undefined)!;
  }
  const again = (kind: "opening" | "introducing", after: Reconnection["after"]): ConnectionState => ({
    kind,
    deadline: 1_300,
    reconnection: { ...reconnection, after },
  });
  const lastAttempt = (after: Reconnection["after"]): ConnectionState => ({
    ...states["exchanging, last attempt"],
    reconnection: { ...reconnection, after },
  });

  it.each([
    ["no connection", states["opening its first connection"], closed, "no connection could be made"],
    ["a slow connection", states["opening its first connection"], inputs["deadline passed"], "not made in time"],
    ["a hang-up", states["introducing itself at first"], closed, "closed the connection without a connect response"],
    [
      "a slow response",
      states["introducing itself at first"],
      inputs["deadline passed"],
      "no connect response in time",
    ],
    ["an unknown response type", states["introducing itself at first"], inputs["unknown response type"], "type 99"],
    [
      "a device in use",
      states["introducing itself at first"],
      alreadyConnected,
      "same module, type, role and priority",
    ],
    ["a wrong module", states["introducing itself at first"], response(2), "does not serve the device's module"],
    ["a wrong type", states["introducing itself at first"], response(3), "does not know the device's type"],
    ["a higher priority", states["introducing itself at first"], response(4), "connected with a higher priority"],
    ["a response to another", states["introducing itself at first"], response(0, "other"), "is for another device"],
    ["a response to nobody", states["introducing itself at first"], response(0, "none"), "names no device"],
    ["an early command", states["introducing itself at first"], command("c0"), "where the connect response belongs"],
    ["a late response", states["exchanging, first attempt"], accepted, "where a command belongs"],
    ["a foreign command", states["exchanging, first attempt"], command("c0", "other"), "is for another device"],
    ["garbage", states["exchanging, first attempt"], undecodable, "cannot be decoded: half of it is missing"],
    [
      "a broken stream",
      states["exchanging, first attempt"],
      inputs["broken stream"],
      "announced a message of length 0",
    ],
    [
      "silence",
      lastAttempt("timed out"),
      inputs["deadline passed"],
      "no command came within 50 ms, after reconnecting",
    ],
    ["two hang-ups", lastAttempt("closed"), closed, "twice; the module may hold the status invalid"],
    ["a hang-up after a reconnection", lastAttempt(undefined), closed, "the module may hold the status invalid"],
    ["silence, then a hang-up", lastAttempt("timed out"), closed, "no command came in time, and after reconnecting"],
    ["a failed reconnection after a hang-up", again("opening", "closed"), closed, "had closed the connection without"],
    [
      "a failed reconnection after silence",
      again("introducing", "timed out"),
      closed,
      "no command had come within 50 ms",
    ],
    ["a failed reconnection", again("opening", undefined), closed, "after the connection had been lost"],
  ] as const)("of %s", (_what, state, input, words) => {
    expect(failureOf(state, input).reason).toContain(words);
  });

  it("of a first connection says nothing of reconnecting", () => {
    expect(failureOf(states["opening its first connection"], closed).reason).not.toContain("reconnect");
  });

  it("carries the system's error", () => {
    for (const state of [
      "opening its first connection",
      "introducing itself again",
      "exchanging, last attempt",
    ] as const) {
      expect(failureOf(states[state], inputs.reset).cause).toBe(resetByPeer);
    }
  });

  it("has no cause when the system gave no error", () => {
    expect("cause" in failureOf(states["opening its first connection"], closed)).toBe(false);
    expect("cause" in failureOf(states["exchanging, last attempt"], closed)).toBe(false);
  });

  it("of a drop with no status in hand is told too, to be read", () => {
    const reasons = [closed, accepted, undecodable, inputs["broken stream"], command("c0", "none")].map((input) =>
      transition(idle, input, now, limits)
        .effects.map((effect) => ("reason" in effect ? effect.reason : ""))
        .join(""),
    );
    expect(reasons).toEqual([
      "the gateway closed the connection",
      "a second connect response came",
      "the gateway's message cannot be decoded: half of it is missing",
      "it announced a message of length 0",
      "the command names no device",
    ]);
  });
});
