import type { RefusalCode } from "../errors/error-types.js";

/** Where a connection is in its life. */
export type State =
  /** First connection: the network connection is being made. */
  | "opening"
  /** First connection: the device has introduced itself and waits for the connect response. */
  | "handshaking"
  /** Connected, no status in flight. */
  | "idle"
  /** Connected, the status in flight was sent for the first time. */
  | "awaiting"
  /** No connection, and no status that needs one. */
  | "down"
  /** No connection; a status waits for the pause before the next attempt to connect. */
  | "backingOff"
  /** Like `opening`, but for the status in flight. */
  | "reopening"
  /** Like `handshaking`, but for the status in flight. */
  | "rehandshaking"
  /** Connected, the status in flight was sent for the second and last time. */
  | "awaitingAgain"
  /** The end. */
  | "destroyed";

/** What can happen to a connection. */
export type Input =
  /** The network connection is made. */
  | { readonly kind: "opened" }
  /** A connect response for this device: OK. */
  | { readonly kind: "accepted" }
  /** A connect response for this device: one of the refusals. */
  | { readonly kind: "refused"; readonly code: RefusalCode }
  /** A command for this device. */
  | { readonly kind: "command"; readonly command: Uint8Array }
  /** A command for this device that began to arrive before the status in flight was sent. */
  | { readonly kind: "early"; readonly command: Uint8Array }
  /** A command for another device. */
  | { readonly kind: "foreign"; readonly detail: string }
  /** A command that names no device, or a connect response that names none or another one. */
  | { readonly kind: "misaddressed"; readonly detail: string }
  /** Anything else that arrived: it is not a message of the protocol. */
  | { readonly kind: "garbage"; readonly detail: string }
  /** The gateway closed the network connection, or it could not be made. */
  | { readonly kind: "closed"; readonly cause: Error | undefined }
  /** The state's deadline has passed; `cause` is what has kept the connection from opening so far, if known. */
  | { readonly kind: "deadline"; readonly cause: Error | undefined }
  /** The next status is due. */
  | { readonly kind: "status" }
  /** The caller of the status in flight has aborted it. */
  | { readonly kind: "abort"; readonly cause: unknown }
  /** The owner destroys the client. */
  | { readonly kind: "destroy" };

/** What a connection does about it. */
export type Action =
  /** Introduces the device. */
  | "introduce"
  /** Reports the first connection. */
  | "ready"
  /** Reports the reconnection and sends the status in flight: for the first time if it was never sent, else for the last. */
  | "resume"
  /** Sends the status. */
  | "send"
  /** Delivers the command; it completes no status. */
  | "push"
  /** Delivers the command; it completes the status in flight. */
  | "complete"
  /** Reports the command and ignores it. */
  | "ignore"
  /** Drops the connection; the next status reconnects. */
  | "drop"
  /** Fails the status in flight and drops the connection, if there is one. */
  | "fail"
  /** Drops the connection and connects again after a pause, to send the status again. */
  | "reconnect"
  /** Waits for the rest of the pause after the drop, if there is any, then opens. */
  | "backOff"
  /** Opens a new connection. */
  | "open"
  /** Tries again soon if the gateway may still consider the former connection alive and the time for that is not over; else ends. */
  | "askAgain"
  /** Destroys the client: fails the status in flight and all that wait. */
  | "end"
  /** Nothing: the client is already destroyed. */
  | "nothing"
  /** This cannot happen. A driver that lets it happen has a bug. */
  | "impossible";

/** The states that an action can lead to; empty if the state stays the same. */
export const LEADS_TO: Record<Action, readonly State[]> = {
  introduce: ["handshaking", "rehandshaking"],
  ready: ["idle"],
  resume: ["awaiting", "awaitingAgain"],
  send: ["awaiting"],
  push: [],
  complete: ["idle"],
  ignore: [],
  drop: ["down"],
  fail: ["down"],
  reconnect: ["backingOff"],
  backOff: ["backingOff", "reopening"],
  open: ["reopening"],
  askAgain: ["backingOff", "destroyed"],
  end: ["destroyed"],
  nothing: [],
  impossible: [],
};

const ____ = "impossible";

/** All transitions. */
// prettier-ignore
export const TRANSITIONS = {
  opened:       { opening: "introduce", handshaking: ____,    idle: ____,     awaiting: ____,        down: ____,      backingOff: ____,   reopening: "introduce", rehandshaking: ____,       awaitingAgain: ____,       destroyed: ____      },
  accepted:     { opening: ____,        handshaking: "ready", idle: "drop",   awaiting: "fail",      down: ____,      backingOff: ____,   reopening: ____,        rehandshaking: "resume",   awaitingAgain: "fail",     destroyed: ____      },
  refused:      { opening: ____,        handshaking: "end",   idle: "drop",   awaiting: "fail",      down: ____,      backingOff: ____,   reopening: ____,        rehandshaking: "askAgain", awaitingAgain: "fail",     destroyed: ____      },
  command:      { opening: ____,        handshaking: "push",  idle: "push",   awaiting: "complete",  down: ____,      backingOff: ____,   reopening: ____,        rehandshaking: "push",     awaitingAgain: "complete", destroyed: ____      },
  early:        { opening: ____,        handshaking: ____,    idle: "push",   awaiting: "push",      down: ____,      backingOff: ____,   reopening: ____,        rehandshaking: ____,       awaitingAgain: "push",     destroyed: ____      },
  foreign:      { opening: ____,        handshaking: "end",   idle: "ignore", awaiting: "fail",      down: ____,      backingOff: ____,   reopening: ____,        rehandshaking: "fail",     awaitingAgain: "fail",     destroyed: ____      },
  misaddressed: { opening: ____,        handshaking: "end",   idle: "drop",   awaiting: "fail",      down: ____,      backingOff: ____,   reopening: ____,        rehandshaking: "fail",     awaitingAgain: "fail",     destroyed: ____      },
  garbage:      { opening: ____,        handshaking: "end",   idle: "drop",   awaiting: "fail",      down: ____,      backingOff: ____,   reopening: ____,        rehandshaking: "fail",     awaitingAgain: "fail",     destroyed: ____      },
  closed:       { opening: "end",       handshaking: "end",   idle: "drop",   awaiting: "reconnect", down: ____,      backingOff: ____,   reopening: "end",       rehandshaking: "end",      awaitingAgain: "end",      destroyed: ____      },
  deadline:     { opening: "end",       handshaking: "end",   idle: ____,     awaiting: "reconnect", down: ____,      backingOff: "open", reopening: "end",       rehandshaking: "end",      awaitingAgain: "end",      destroyed: ____      },
  status:       { opening: ____,        handshaking: ____,    idle: "send",   awaiting: ____,        down: "backOff", backingOff: ____,   reopening: ____,        rehandshaking: ____,       awaitingAgain: ____,       destroyed: ____      },
  abort:        { opening: ____,        handshaking: ____,    idle: ____,     awaiting: "fail",      down: ____,      backingOff: "fail", reopening: "fail",      rehandshaking: "fail",     awaitingAgain: "fail",     destroyed: ____      },
  destroy:      { opening: "end",       handshaking: "end",   idle: "end",    awaiting: "end",       down: "end",     backingOff: "end",  reopening: "end",       rehandshaking: "end",      awaitingAgain: "end",      destroyed: "nothing" },
} as const satisfies Record<Input["kind"], Record<State, Action>>;
