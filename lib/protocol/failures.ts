import type { ConnectErrorCode, RefusalCode, SendStatusErrorCode } from "../errors/error-types.js";
import type { Input, State } from "./transitions.js";

/** Why a connect or a status failed, or a connection was dropped. */
export interface Failure {
  readonly code: Exclude<ConnectErrorCode | SendStatusErrorCode, "CONTEXT_INCORRECT">;
  readonly reason: "unreachable" | "closed" | "timed-out" | "refused" | "off-protocol" | "wrong-device" | "aborted";
  /** What happened, for people. */
  readonly message: string;
  /** What to do about it: a sentence, or nothing. */
  readonly advice: string;
  /** The underlying error, or why the caller aborted; absent if there is none. */
  readonly cause?: unknown;
}

/** What happened to the status before the reconnection. */
export type FirstAttempt = "unsent" | "closed" | "timed out";

/** The circumstances of a failure, for its message. */
export interface Circumstances {
  readonly state: State;
  readonly firstAttempt: FirstAttempt;
  /** The limit of the status in flight. */
  readonly timeoutMs: number;
}

/** The inputs that mean a failure. */
export type Trouble = Exclude<Input, { kind: "opened" | "command" | "early" | "status" | "destroy" }>;

const CHECK_NETWORK = "Check that the gateway runs and that this machine can reach it.";
const CHECK_GATEWAY = "Check that a module gateway of Fleet Protocol v2 listens there.";
const CHECK_ANSWERS = "Check that the gateway and its module answer, or allow a longer timeoutMs.";
const CHECK_STATUS = "Check that the module accepts this status: a module does not answer an invalid one.";

/** The failure that an input means. */
export function failureOf(input: Trouble, now: Circumstances): Failure {
  switch (input.kind) {
    case "closed":
      return connectionClosed(now, input.cause);
    case "deadline":
      return tookTooLong(now, input.cause);
    case "refused":
      return isHandshaking(now.state) ? refused(now, input.code) : unexpectedResponse(now);
    case "accepted":
      return unexpectedResponse(now);
    case "garbage":
      return offProtocol(now, input.detail);
    case "foreign":
    case "misaddressed":
      return failure(
        "DEVICE_INCORRECT",
        "wrong-device",
        input.detail,
        "Check how the gateway routes messages to this device.",
      );
    case "abort":
      return aborted(input.cause);
  }
}

export function aborted(cause: unknown): Failure {
  return { code: "NOT_OK", reason: "aborted", message: "the call was aborted by its signal", advice: "", cause };
}

function connectionClosed(now: Circumstances, cause: Error | undefined): Failure {
  switch (now.state) {
    case "opening":
    case "reopening": {
      const reason = cause === undefined ? "closed" : "unreachable";
      return failure("UNABLE_TO_CONNECT", reason, couldNotConnect(now), CHECK_NETWORK, cause);
    }
    case "handshaking":
    case "rehandshaking": {
      const message = `${sinceReconnecting(now)}the gateway closed the connection without a connect response`;
      return failure("UNABLE_TO_CONNECT", "closed", message, CHECK_GATEWAY, cause);
    }
    case "awaitingAgain":
      return failure("UNABLE_TO_CONNECT", "closed", closedAgain[now.firstAttempt], CHECK_STATUS, cause);
    default: {
      const message = cause === undefined ? "the gateway closed the connection" : "the connection broke";
      return failure("UNABLE_TO_CONNECT", "closed", message, CHECK_NETWORK, cause);
    }
  }
}

const closedAgain: Record<FirstAttempt, string> = {
  unsent: "",
  closed: "the gateway closed the connection twice without answering the status",
  "timed out":
    "no command came in time, and when the client reconnected, the gateway closed the connection without answering the status",
};

function tookTooLong(now: Circumstances, cause: Error | undefined): Failure {
  switch (now.state) {
    case "opening":
    case "reopening":
      return failure("UNABLE_TO_CONNECT", "timed-out", `${couldNotConnect(now)} in time`, CHECK_NETWORK, cause);
    case "handshaking":
    case "rehandshaking": {
      const message = `${sinceReconnecting(now)}the gateway sent no connect response in time`;
      return failure("UNABLE_TO_CONNECT", "timed-out", message, CHECK_GATEWAY);
    }
    default: {
      const again = now.state === "awaitingAgain" ? ", not even after the reconnection" : "";
      const message = `no command came within ${now.timeoutMs} ms${again}`;
      return failure("TIMEOUT_OCCURRED", "timed-out", message, CHECK_ANSWERS);
    }
  }
}

function refused(now: Circumstances, code: RefusalCode): Failure {
  const [message, advice] = refusals[code];
  const what = now.state === "handshaking" ? "device" : "reconnection";
  return failure(code, "refused", `the gateway refused the ${what}: ${message}`, advice);
}

const refusals: Record<RefusalCode, readonly [message: string, advice: string]> = {
  DEVICE_ALREADY_CONNECTED: [
    "a device with the same module, type, role and priority is already connected",
    "Disconnect the other device, or give this one another role; if no other device is connected, wait up to 33 s until the gateway notices that a former connection is lost.",
  ],
  MODULE_NOT_SUPPORTED: [
    "it does not serve the device's module",
    "Check the module's number, and which modules the gateway has loaded.",
  ],
  DEVICE_TYPE_NOT_SUPPORTED: [
    "the module does not support the device's type",
    "Check which device types the module supports.",
  ],
  HIGHER_PRIORITY_ALREADY_CONNECTED: [
    "a device with the same module, type and role is already connected with a higher priority, that is, a lower number",
    "Wait until the other device has disconnected, or connect with a lower priority number.",
  ],
};

/** In the C header, a connect has no COMMAND_INCORRECT; its code for this is NOT_OK. */
function offProtocol({ state }: Circumstances, message: string): Failure {
  return failure(state === "handshaking" ? "NOT_OK" : "COMMAND_INCORRECT", "off-protocol", message, CHECK_GATEWAY);
}

function unexpectedResponse({ state }: Circumstances): Failure {
  const message =
    state === "idle"
      ? "the gateway sent a second connect response"
      : "the gateway sent a connect response instead of a command";
  return failure("COMMAND_INCORRECT", "off-protocol", message, CHECK_GATEWAY);
}

function failure(
  code: Failure["code"],
  reason: Failure["reason"],
  message: string,
  advice: string,
  cause?: Error,
): Failure {
  const failed = { code, reason, message, advice };
  return cause === undefined ? failed : { ...failed, cause };
}

function isHandshaking(state: State): boolean {
  return state === "handshaking" || state === "rehandshaking";
}

function couldNotConnect(now: Circumstances): string {
  return now.state === "opening" ? "could not connect" : `${lossOf(now)}, and the client could not reconnect`;
}

function sinceReconnecting(now: Circumstances): string {
  return now.state === "handshaking" ? "" : `${lossOf(now)}; when the client reconnected, `;
}

/** Why the device reconnected. */
function lossOf({ firstAttempt, timeoutMs }: Circumstances): string {
  switch (firstAttempt) {
    case "unsent":
      return "the connection was lost";
    case "closed":
      return "the gateway closed the connection without answering the status";
    case "timed out":
      return `no command came within ${timeoutMs} ms`;
  }
}
