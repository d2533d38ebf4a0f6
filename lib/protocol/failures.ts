import type { ConnectErrorCode, RefusalCode, SendStatusErrorCode } from "../errors/error-types.js";
import type { Input, State } from "./transitions.js";

/** Why a connect or a status failed, or a connection was dropped. */
export interface Failure {
  readonly code: Exclude<ConnectErrorCode | SendStatusErrorCode, "CONTEXT_INCORRECT">;
  readonly reason: "unreachable" | "closed" | "timed-out" | "refused" | "off-protocol" | "wrong-device" | "aborted";
  /** What happened, for people. */
  readonly message: string;
  /** What was thrown below, or why the caller aborted; absent when there is nothing. */
  readonly cause?: unknown;
}

/** What became of a status before its reconnection. */
export type FirstAttempt = "unsent" | "closed" | "timed out";

/** What a failure's message is about. */
export interface Circumstances {
  readonly state: State;
  readonly firstAttempt: FirstAttempt;
  /** Of the status in flight. */
  readonly timeoutMs: number;
}

/** The inputs that mean a failure. */
export type Trouble = Exclude<Input, { kind: "opened" | "command" | "early" | "status" | "destroy" }>;

/** The failure that an input means. */
export function failureOf(input: Trouble, now: Circumstances): Failure {
  switch (input.kind) {
    case "closed":
      return connectionClosed(now, input.cause);
    case "deadline":
      return tookTooLong(now, input.cause);
    case "refused":
      return isHandshaking(now.state) ? refused(input.code) : unexpectedResponse(now);
    case "accepted":
      return unexpectedResponse(now);
    case "garbage":
      return offProtocol(now, input.detail);
    case "foreign":
    case "misaddressed":
      return failure("DEVICE_INCORRECT", "wrong-device", input.detail);
    case "abort":
      return aborted(input.cause);
  }
}

export function aborted(cause: unknown): Failure {
  return { code: "NOT_OK", reason: "aborted", message: "the call was aborted by its signal", cause };
}

function connectionClosed(now: Circumstances, cause: Error | undefined): Failure {
  switch (now.state) {
    case "opening":
    case "reopening": {
      const reason = cause === undefined ? "closed" : "unreachable";
      return failure("UNABLE_TO_CONNECT", reason, `no connection could be made${whenReconnecting(now)}`, cause);
    }
    case "handshaking":
    case "rehandshaking": {
      const message = `the gateway closed the connection without a connect response${whenReconnecting(now)}`;
      return failure("UNABLE_TO_CONNECT", "closed", message, cause);
    }
    case "awaitingAgain":
      return failure("UNABLE_TO_CONNECT", "closed", closedAgain[now.firstAttempt], cause);
    default: {
      const message = cause === undefined ? "the gateway closed the connection" : "the connection broke";
      return failure("UNABLE_TO_CONNECT", "closed", message, cause);
    }
  }
}

const closedAgain: Record<FirstAttempt, string> = {
  unsent: "",
  closed: "the gateway closed the connection without an answer, twice; the module may hold the status invalid",
  "timed out": "no command came in time, and after reconnecting the gateway closed the connection without an answer",
};

function tookTooLong(now: Circumstances, cause: Error | undefined): Failure {
  switch (now.state) {
    case "opening":
    case "reopening": {
      const message = `the connection was not made in time${whenReconnecting(now)}`;
      return failure("UNABLE_TO_CONNECT", "timed-out", message, cause);
    }
    case "handshaking":
    case "rehandshaking": {
      const message = `the gateway sent no connect response in time${whenReconnecting(now)}`;
      return failure("UNABLE_TO_CONNECT", "timed-out", message);
    }
    default: {
      const again = now.state === "awaitingAgain" ? ", after reconnecting" : "";
      return failure("TIMEOUT_OCCURRED", "timed-out", `no command came within ${now.timeoutMs} ms${again}`);
    }
  }
}

function refused(code: RefusalCode): Failure {
  return failure(code, "refused", `the gateway refused the device: ${refusals[code]}`);
}

const refusals: Record<RefusalCode, string> = {
  DEVICE_ALREADY_CONNECTED: "a device with the same module, type, role and priority is already connected",
  MODULE_NOT_SUPPORTED: "it does not serve the device's module",
  DEVICE_TYPE_NOT_SUPPORTED: "the module does not know the device's type",
  HIGHER_PRIORITY_ALREADY_CONNECTED:
    "a device with the same module, type and role is already connected with a higher priority (a lower number)",
};

/** In the C header, the codes of a connect for this are DEVICE_INCORRECT and NOT_OK. */
function offProtocol({ state }: Circumstances, message: string): Failure {
  return failure(state === "handshaking" ? "NOT_OK" : "COMMAND_INCORRECT", "off-protocol", message);
}

function unexpectedResponse({ state }: Circumstances): Failure {
  const message =
    state === "idle"
      ? "the gateway sent a second connect response"
      : "the gateway sent a connect response instead of a command";
  return failure("COMMAND_INCORRECT", "off-protocol", message);
}

function failure(code: Failure["code"], reason: Failure["reason"], message: string, cause?: Error): Failure {
  return cause === undefined ? { code, reason, message } : { code, reason, message, cause };
}

function isHandshaking(state: State): boolean {
  return state === "handshaking" || state === "rehandshaking";
}

function whenReconnecting({ state, firstAttempt, timeoutMs }: Circumstances): string {
  if (state === "opening" || state === "handshaking") return "";
  switch (firstAttempt) {
    case "unsent":
      return ", when reconnecting after the connection had been lost";
    case "closed":
      return ", when reconnecting after the gateway had closed the connection without answering the status";
    case "timed out":
      return `, when reconnecting after no command had come within ${timeoutMs} ms`;
  }
}
