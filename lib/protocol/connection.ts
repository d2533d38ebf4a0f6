import type { ConnectErrorCode, RefusalCode, SendStatusErrorCode } from "../errors/error-types.js";
import { connectAnswer } from "./response-type.js";
import type { ServerMessage } from "./server-messages.js";

// The life of one client's connection, as values: a state and an input give the next state and what is to be done.
// Every transition there is stands in this file. Times are milliseconds of any clock that never runs backwards.

/** How long after a drop the client reconnects: at once, the gateway often still holds the old socket for connected. */
export const RECONNECT_PAUSE_MS = 2;

/** How often and for how long a reconnection asks again on ALREADY_CONNECTED. The gateway holds a device for connected until the 250 ms of its unanswered status are over. */
export const ASK_AGAIN_EVERY_MS = 5;
export const ASK_AGAIN_FOR_MS = 350;

/** Why a connect or a status failed: the code, what happened, and what was thrown below. */
export interface Failure {
  readonly code: Exclude<ConnectErrorCode | SendStatusErrorCode, "CONTEXT_INCORRECT">;
  readonly reason: string;
  readonly cause?: unknown;
}

/** The one reconnection that a status may cost. */
export interface Reconnection {
  /** What became of the status's first attempt; undefined when the connection was already gone before it. */
  readonly after: "closed" | "timed out" | undefined;
  /** The status's own limit, to be given to the resend afresh. */
  readonly timeoutMs: number;
  /** When the whole reconnection must be over. */
  readonly endsAt: number;
  /** Set by the first ALREADY_CONNECTED: until when to ask again. */
  readonly askUntil: number | undefined;
}

/**
 * `deadline` is when the state wants to be told that its time is over. It stands in every state, and at the same place: what
 * reads it and `kind` with every status would be slowed down by many layouts.
 */
export type ConnectionState =
  /** TCP is connecting; `reconnection` is undefined for a client's first connection. */
  | { readonly kind: "opening"; readonly deadline: number; readonly reconnection: Reconnection | undefined }
  /** The device has said who it is and awaits the connect response. */
  | { readonly kind: "introducing"; readonly deadline: number; readonly reconnection: Reconnection | undefined }
  /** Connected, no status in flight. */
  | { readonly kind: "idle"; readonly deadline?: undefined }
  /** A status is in flight. `reconnection` is set when it is the last attempt. */
  | {
      readonly kind: "exchanging";
      readonly deadline: number;
      readonly timeoutMs: number;
      readonly reconnection: Reconnection | undefined;
    }
  /** No connection, and no status that needs one. */
  | { readonly kind: "dropped"; readonly deadline?: undefined; readonly at: number }
  /** No connection, and the pause before the next attempt to make one. */
  | { readonly kind: "pausing"; readonly deadline: number; readonly reconnection: Reconnection }
  /** Destroyed, for good. */
  | { readonly kind: "ended"; readonly deadline?: undefined };

export type Input =
  | { readonly type: "opened" }
  /** `isEarly` says that its first byte arrived before the status in hand went out, so that it is not its answer. */
  | { readonly type: "message"; readonly message: ServerMessage; readonly isEarly?: boolean }
  | { readonly type: "brokenStream"; readonly detail: string }
  /** The gateway ended the connection, or it could not be made; `cause` is the system's error, if there was one. */
  | { readonly type: "closed"; readonly cause: Error | undefined }
  | { readonly type: "deadlinePassed" }
  /** A status is to be sent; the last one is settled. */
  | { readonly type: "status"; readonly timeoutMs: number }
  /** The status in hand was aborted by its caller. */
  | { readonly type: "abandon" }
  | { readonly type: "destroy" };

export type Effect =
  | { readonly type: "open" }
  | { readonly type: "sendConnect" }
  /** Writes the status in hand; after a reconnection it may have been sent before. */
  | { readonly type: "sendStatus"; readonly afterReconnect: boolean }
  /** Drops the connection, whatever is still under way on it. */
  | { readonly type: "close" }
  /** The first connection stands. */
  | { readonly type: "connected" }
  /** The reconnection stands. */
  | { readonly type: "reconnected" }
  /** The gateway refused the device. */
  | { readonly type: "refused"; readonly code: RefusalCode; readonly willAskAgain: boolean }
  /** A command arrived; `completes` says whether a status awaited it. */
  | { readonly type: "deliver"; readonly command: Uint8Array; readonly completes: boolean }
  /** The connection is lost or given up. */
  | { readonly type: "dropped"; readonly reason: string }
  /** A message came that cannot be the gateway's word to this device, with no status in hand to fail for it. */
  | { readonly type: "ignored"; readonly reason: string }
  /** The status in hand has failed; the client lives. */
  | { readonly type: "failStatus"; readonly failure: Failure }
  /** The client is destroyed: by what happened, or by its owner, who gives no failure. */
  | { readonly type: "end"; readonly failure: Failure | undefined };

export interface Limits {
  /** For one attempt to connect: TCP and the connect response. */
  readonly connectTimeoutMs: number;
}

export interface Step {
  readonly state: ConnectionState;
  readonly effects: readonly Effect[];
}

const IDLE: ConnectionState = { kind: "idle", deadline: undefined };
export const ENDED: ConnectionState = { kind: "ended", deadline: undefined };
const NO_EFFECTS: readonly Effect[] = [];
const OPEN: readonly Effect[] = [{ type: "open" }];
const SEND_CONNECT: readonly Effect[] = [{ type: "sendConnect" }];
const SEND_STATUS: readonly Effect[] = [{ type: "sendStatus", afterReconnect: false }];
const CONNECTED: readonly Effect[] = [{ type: "connected" }];
const RECONNECTED: readonly Effect[] = [{ type: "reconnected" }, { type: "sendStatus", afterReconnect: true }];
const CLOSE: Effect = { type: "close" };

/** The first step of a client's life. */
export function begin(now: number, limits: Limits): Step {
  return {
    state: { kind: "opening", deadline: now + limits.connectTimeoutMs, reconnection: undefined },
    effects: OPEN,
  };
}

export function transition(state: ConnectionState, input: Input, now: number, limits: Limits): Step {
  switch (state.kind) {
    case "opening":
      return whileOpening(state, input, now);
    case "introducing":
      return whileIntroducing(state, input, now);
    case "idle":
      return whileIdle(state, input, now);
    case "exchanging":
      return whileExchanging(state, input, now, limits);
    case "dropped":
      return whileDropped(state, input, now, limits);
    case "pausing":
      return whilePausing(state, input, now, limits);
    case "ended":
      return unchanged(state);
  }
}

type StateOf<Kind extends ConnectionState["kind"]> = Extract<ConnectionState, { kind: Kind }>;

function whileOpening(state: StateOf<"opening">, input: Input, now: number): Step {
  switch (input.type) {
    case "opened":
      return introducing(state);
    case "closed":
      return ended(unableToConnect("no connection could be made", state.reconnection, input.cause));
    case "deadlinePassed":
      return closedAndEnded(unableToConnect("the connection was not made in time", state.reconnection));
    case "abandon":
      return dropped(now, "the status was aborted");
    case "destroy":
      return closedAndEnded(undefined);
    case "message":
    case "brokenStream":
    case "status":
      return unchanged(state);
  }
}

function introducing({ deadline, reconnection }: StateOf<"opening">): Step {
  return { state: { kind: "introducing", deadline, reconnection }, effects: SEND_CONNECT };
}

function whileIntroducing(state: StateOf<"introducing">, input: Input, now: number): Step {
  switch (input.type) {
    case "message":
      return onIntroduction(state, input.message, now);
    case "brokenStream":
      return notIntroduced(state, now, "COMMAND_INCORRECT", input.detail);
    case "closed": {
      const what = "the gateway closed the connection without a connect response";
      return ended(unableToConnect(what, state.reconnection, input.cause));
    }
    case "deadlinePassed":
      return closedAndEnded(unableToConnect("the gateway gave no connect response in time", state.reconnection));
    case "abandon":
      return dropped(now, "the status was aborted");
    case "destroy":
      return closedAndEnded(undefined);
    case "opened":
    case "status":
      return unchanged(state);
  }
}

function onIntroduction(state: StateOf<"introducing">, message: ServerMessage, now: number): Step {
  if (message.kind === "undecodable")
    return notIntroduced(state, now, "COMMAND_INCORRECT", undecodable(message.detail));
  if (message.kind === "command") {
    return notIntroduced(state, now, "COMMAND_INCORRECT", "a command came where the connect response belongs");
  }
  if (message.addressee !== "own") {
    return notIntroduced(state, now, "DEVICE_INCORRECT", wrongAddressee("connect response", message.addressee));
  }
  const answer = connectAnswer(message.responseType);
  switch (answer.kind) {
    case "accepted":
      return introduced(state, now);
    case "refused":
      return refused(state, now, answer.code);
    case "unknown":
      return notIntroduced(
        state,
        now,
        "COMMAND_INCORRECT",
        `the connect response is of the unknown type ${message.responseType}`,
      );
  }
}

function introduced(state: StateOf<"introducing">, now: number): Step {
  const { reconnection } = state;
  if (reconnection === undefined) return { state: IDLE, effects: CONNECTED };
  return { state: exchanging(reconnection.timeoutMs, now, reconnection), effects: RECONNECTED };
}

function exchanging(timeoutMs: number, now: number, reconnection: Reconnection | undefined): StateOf<"exchanging"> {
  // V8 keeps a whole number in place, and allocates any other with every status.
  return { kind: "exchanging", deadline: Math.ceil(now + timeoutMs), timeoutMs, reconnection };
}

/** The gateway may leave the socket open after a refusal, and holds the device for connected until the client closes it. */
function refused(state: StateOf<"introducing">, now: number, code: RefusalCode): Step {
  const again = code === "DEVICE_ALREADY_CONNECTED" ? askingAgain(state.reconnection, now) : undefined;
  const effect: Effect = { type: "refused", code, willAskAgain: again !== undefined };
  if (again !== undefined) return { state: again, effects: [CLOSE, effect] };
  const failure = { code, reason: `the gateway refused the device: ${refusals[code]}` };
  return { state: ENDED, effects: [CLOSE, effect, { type: "end", failure }] };
}

/** A first connect never asks again: there, another device of the same identification is the likely reason. */
function askingAgain(reconnection: Reconnection | undefined, now: number): StateOf<"pausing"> | undefined {
  if (reconnection === undefined) return undefined;
  const askUntil = reconnection.askUntil ?? now + ASK_AGAIN_FOR_MS;
  const deadline = now + ASK_AGAIN_EVERY_MS;
  if (deadline > askUntil || deadline >= reconnection.endsAt) return undefined;
  return { kind: "pausing", deadline, reconnection: { ...reconnection, askUntil } };
}

/** At the first connect nothing is left; at a reconnection the status fails and the client lives. */
function notIntroduced(
  state: StateOf<"introducing">,
  now: number,
  code: "COMMAND_INCORRECT" | "DEVICE_INCORRECT",
  reason: string,
): Step {
  if (state.reconnection !== undefined) return failedAndDropped(now, { code, reason });
  // connect cannot give COMMAND_INCORRECT: in the C header its only words for this are DEVICE_INCORRECT and NOT_OK.
  return closedAndEnded({ code: code === "DEVICE_INCORRECT" ? code : "NOT_OK", reason });
}

function whileIdle(state: StateOf<"idle">, input: Input, now: number): Step {
  switch (input.type) {
    case "status":
      return { state: exchanging(input.timeoutMs, now, undefined), effects: SEND_STATUS };
    case "message":
      return onIdleMessage(state, input.message, now);
    case "brokenStream":
      return dropped(now, input.detail);
    case "closed":
      return { state: lostAt(now), effects: [{ type: "dropped", reason: lost(input.cause) }] };
    case "destroy":
      return closedAndEnded(undefined);
    case "opened":
    case "deadlinePassed":
    case "abandon":
      return unchanged(state);
  }
}

function onIdleMessage(state: StateOf<"idle">, message: ServerMessage, now: number): Step {
  if (message.kind === "undecodable") return dropped(now, undecodable(message.detail));
  if (message.kind === "connectResponse") return dropped(now, "a second connect response came");
  if (message.addressee === "none") return dropped(now, wrongAddressee("command", message.addressee));
  if (message.addressee === "other") {
    return { state, effects: [{ type: "ignored", reason: wrongAddressee("command", message.addressee) }] };
  }
  return { state, effects: [{ type: "deliver", command: message.command, completes: false }] };
}

function whileExchanging(state: StateOf<"exchanging">, input: Input, now: number, limits: Limits): Step {
  switch (input.type) {
    case "message":
      return onAnswer(state, input.message, input.isEarly === true, now);
    case "brokenStream":
      return failedAndDropped(now, { code: "COMMAND_INCORRECT", reason: input.detail });
    case "closed":
      if (state.reconnection !== undefined) return ended(closedAgain(state.reconnection, input.cause));
      return reconnecting(state, now, limits, "closed", [{ type: "dropped", reason: lost(input.cause) }]);
    case "deadlinePassed": {
      if (state.reconnection !== undefined) return closedAndEnded(timedOut(state));
      const reason = `no command came within ${state.timeoutMs} ms`;
      return reconnecting(state, now, limits, "timed out", [CLOSE, { type: "dropped", reason }]);
    }
    case "abandon":
      return dropped(now, "the status was aborted");
    case "destroy":
      return closedAndEnded(undefined);
    case "opened":
    case "status":
      return unchanged(state);
  }
}

/** The first command after a status completes it: nothing tells an answer from a push, but that it came before the status. */
function onAnswer(state: StateOf<"exchanging">, message: ServerMessage, isEarly: boolean, now: number): Step {
  if (message.kind === "undecodable") {
    return failedAndDropped(now, { code: "COMMAND_INCORRECT", reason: undecodable(message.detail) });
  }
  if (message.kind === "connectResponse") {
    const reason = "a connect response came where a command belongs";
    return failedAndDropped(now, { code: "COMMAND_INCORRECT", reason });
  }
  if (message.addressee !== "own") {
    const reason = wrongAddressee("command", message.addressee);
    return failedAndDropped(now, { code: "DEVICE_INCORRECT", reason });
  }
  if (isEarly) return { state, effects: [{ type: "deliver", command: message.command, completes: false }] };
  return { state: IDLE, effects: [{ type: "deliver", command: message.command, completes: true }] };
}

function reconnecting(
  state: StateOf<"exchanging">,
  now: number,
  limits: Limits,
  after: Reconnection["after"],
  effects: readonly Effect[],
): Step {
  const reconnection = reconnectionFrom(now, state.timeoutMs, limits, after);
  return { state: { kind: "pausing", deadline: now + RECONNECT_PAUSE_MS, reconnection }, effects };
}

function reconnectionFrom(now: number, timeoutMs: number, limits: Limits, after: Reconnection["after"]): Reconnection {
  const endsAt = now + limits.connectTimeoutMs + ASK_AGAIN_FOR_MS;
  return { after, timeoutMs, endsAt, askUntil: undefined };
}

function whileDropped(state: StateOf<"dropped">, input: Input, now: number, limits: Limits): Step {
  switch (input.type) {
    case "status": {
      const reconnection = reconnectionFrom(now, input.timeoutMs, limits, undefined);
      const deadline = state.at + RECONNECT_PAUSE_MS;
      if (now < deadline) return { state: { kind: "pausing", deadline, reconnection }, effects: NO_EFFECTS };
      return opening(reconnection, now, limits);
    }
    case "destroy":
      return ended(undefined);
    case "opened":
    case "message":
    case "brokenStream":
    case "closed":
    case "deadlinePassed":
    case "abandon":
      return unchanged(state);
  }
}

function whilePausing(state: StateOf<"pausing">, input: Input, now: number, limits: Limits): Step {
  switch (input.type) {
    case "deadlinePassed":
      return opening(state.reconnection, now, limits);
    case "abandon":
      return { state: lostAt(now), effects: NO_EFFECTS };
    case "destroy":
      return ended(undefined);
    case "opened":
    case "message":
    case "brokenStream":
    case "closed":
    case "status":
      return unchanged(state);
  }
}

function opening(reconnection: Reconnection, now: number, limits: Limits): Step {
  const deadline = Math.min(now + limits.connectTimeoutMs, reconnection.endsAt);
  return { state: { kind: "opening", deadline, reconnection }, effects: OPEN };
}

function lostAt(now: number): StateOf<"dropped"> {
  return { kind: "dropped", deadline: undefined, at: now };
}

function dropped(now: number, reason: string): Step {
  return { state: lostAt(now), effects: [CLOSE, { type: "dropped", reason }] };
}

/** A later answer on this connection could be taken for another status's, so the connection goes with the status. */
function failedAndDropped(now: number, failure: Failure): Step {
  const effects: readonly Effect[] = [
    CLOSE,
    { type: "dropped", reason: failure.reason },
    { type: "failStatus", failure },
  ];
  return { state: lostAt(now), effects };
}

function ended(failure: Failure | undefined): Step {
  return { state: ENDED, effects: [{ type: "end", failure }] };
}

function closedAndEnded(failure: Failure | undefined): Step {
  return { state: ENDED, effects: [CLOSE, { type: "end", failure }] };
}

function unchanged(state: ConnectionState): Step {
  return { state, effects: NO_EFFECTS };
}

/** Without a cause, the gateway ended the connection in order. */
function lost(cause: Error | undefined): string {
  return cause === undefined ? "the gateway closed the connection" : `the connection broke: ${cause.message}`;
}

const refusals: Record<RefusalCode, string> = {
  DEVICE_ALREADY_CONNECTED: "one of the same module, type, role and priority is connected",
  MODULE_NOT_SUPPORTED: "it does not serve the device's module",
  DEVICE_TYPE_NOT_SUPPORTED: "the module does not know the device's type",
  HIGHER_PRIORITY_ALREADY_CONNECTED: "it is connected with a higher priority, that is a lower number",
};

function unableToConnect(what: string, reconnection: Reconnection | undefined, cause?: Error): Failure {
  return failure("UNABLE_TO_CONNECT", `${what}${whenReconnecting(reconnection)}`, cause);
}

function closedAgain(reconnection: Reconnection, cause: Error | undefined): Failure {
  return failure("UNABLE_TO_CONNECT", closedAgainReasons[reconnection.after ?? "lost"], cause);
}

const closedAgainReasons = {
  closed: "the gateway closed the connection without an answer, twice; the module may hold the status invalid",
  "timed out": "no command came in time, and after reconnecting the gateway closed the connection without an answer",
  lost: "the gateway closed the renewed connection without an answer; the module may hold the status invalid",
};

function timedOut(state: StateOf<"exchanging">): Failure {
  return failure("TIMEOUT_OCCURRED", `no command came within ${state.timeoutMs} ms, after reconnecting`);
}

function failure(code: Failure["code"], reason: string, cause?: Error): Failure {
  return cause === undefined ? { code, reason } : { code, reason, cause };
}

function whenReconnecting(reconnection: Reconnection | undefined): string {
  if (reconnection === undefined) return "";
  switch (reconnection.after) {
    case "closed":
      return ", when reconnecting after the gateway had closed the connection without answering the status";
    case "timed out":
      return `, when reconnecting after no command had come within ${reconnection.timeoutMs} ms`;
    case undefined:
      return ", when reconnecting after the connection had been lost";
  }
}

function undecodable(detail: string): string {
  return `the gateway's message cannot be decoded: ${detail}`;
}

function wrongAddressee(what: string, addressee: "other" | "none"): string {
  return addressee === "other" ? `the ${what} is for another device` : `the ${what} names no device`;
}
