import type { Fault } from "./load.js";

const connection = "protocol/device-connection.ts";
const transitions = "protocol/transitions.ts";
const decoder = "protocol/frame-decoder.ts";
const queue = "protocol/status-queue.ts";

/** Mistakes that a maintainer could make. The explorer has to see each of them. */
export const SEEDED_FAULTS: readonly Fault[] = [
  {
    name: "a command that began before the status was sent completes it",
    file: connection,
    from: 'if (message.kind === "command" && body.beganBeforeMark)',
    to: 'if (message.kind === "command" && false)',
  },
  {
    name: "the mark is forgotten when a status is sent",
    file: connection,
    from: "this.decoder?.mark();",
    to: "",
  },
  {
    name: "a body counts from the chunk that ends it",
    file: decoder,
    from: "beganBeforeMark: this.beganInChunk <= this.markedChunks",
    to: "beganBeforeMark: this.chunks <= this.markedChunks",
  },
  {
    name: "a second reconnection for a status that was sent twice",
    file: transitions,
    from: 'rehandshaking: "end",      awaitingAgain: "end",      destroyed: ____      },\n  deadline:',
    to: 'rehandshaking: "end",      awaitingAgain: "reconnect", destroyed: ____      },\n  deadline:',
  },
  {
    name: "a status that was never sent has no reconnection of its own",
    file: connection,
    from: 'this.firstAttempt === "unsent" ? "awaiting" : "awaitingAgain"',
    to: '"awaitingAgain" as "awaiting" | "awaitingAgain"',
  },
  {
    name: "a resend is taken for a first attempt",
    file: connection,
    from: 'this.firstAttempt === "unsent" ? "awaiting" : "awaitingAgain"',
    to: '"awaiting" as "awaiting" | "awaitingAgain"',
  },
  {
    name: "the deadline of a status is forgotten",
    file: connection,
    from: "this.currentDeadline = Math.ceil(now + timeoutMs);",
    to: "this.currentDeadline = undefined;",
  },
  {
    name: "the deadline stays when a status is completed",
    file: connection,
    from: "    this.currentState = state;\n    this.currentDeadline = undefined;",
    to: "    this.currentState = state;",
  },
  {
    name: "a reconnection goes on beyond its end",
    file: connection,
    from: "Math.min(now + this.limits.connectTimeoutMs, this.reconnectUntil)",
    to: "now + 3 * this.limits.connectTimeoutMs",
  },
  {
    name: "it asks again for ever",
    file: connection,
    from: "next > this.askUntil || next >= this.reconnectUntil",
    to: "false",
  },
  {
    name: "the time for asking again begins anew with each refusal",
    file: connection,
    from: "this.askUntil = Math.min(this.askUntil, now + askAgainForMs);",
    to: "this.askUntil = now + askAgainForMs; this.reconnectUntil = now + 2 * askAgainForMs;",
  },
  {
    name: "it asks again without closing the refused connection",
    file: connection,
    from: '    this.closeConnection(input);\n    this.currentState = "backingOff";',
    to: '    this.currentState = "backingOff";',
  },
  {
    name: "a refused first connect is tried again",
    file: transitions,
    from: 'refused:      { opening: ____,        handshaking: "end"',
    to: 'refused:      { opening: ____,        handshaking: "reconnect"',
  },
  {
    name: "an aborted status leaves its connection open",
    file: connection,
    from: "    this.leave(input, failure, now);\n    this.inFlight = undefined;",
    to: '    if (input.kind === "abort") this.rest("idle");\n    else this.leave(input, failure, now);\n    this.inFlight = undefined;',
  },
  {
    name: "a message that breaks the protocol leaves the connection open",
    file: connection,
    from: "    this.leave(input, failure, now);\n    this.inFlight = undefined;",
    to: '    if (input.kind === "garbage") this.rest("idle");\n    else this.leave(input, failure, now);\n    this.inFlight = undefined;',
  },
  {
    name: "a failed status stays in flight",
    file: connection,
    from: '    this.inFlight = undefined;\n    this.emit({ kind: "failed", ticket, failure });',
    to: '    this.emit({ kind: "failed", ticket, failure });',
  },
  {
    name: "the end forgets the statuses that wait",
    file: connection,
    from: 'this.emit({ kind: "ended", failure, inFlight, waiting });',
    to: 'this.emit({ kind: "ended", failure, inFlight, waiting: [] });',
  },
  {
    name: "the end forgets the status in flight",
    file: connection,
    from: "const inFlight = this.inFlight?.ticket;",
    to: "const inFlight = undefined as Ticket | undefined;",
  },
  {
    name: "an abort forgets a status that waits",
    file: connection,
    from: "else if (this.queue.remove(ticket)) this.emit",
    to: "else if (this.queue.isEmpty) this.emit",
  },
  {
    name: "the newest status goes first",
    file: queue,
    from: "else this.others.push(queued);",
    to: "else (this.others.unshift(this.first), (this.first = queued));",
  },
  {
    name: "an effect is lost when there are more than one",
    file: connection,
    from: "else this.moreEffects.push(effect);",
    to: 'else if (effect.kind !== "dropped") this.moreEffects.push(effect);',
  },
  {
    name: "the pause before a reconnection is left out",
    file: connection,
    from: "this.reconnectFrom = now + this.limits.reconnectPauseMs;",
    to: "this.reconnectFrom = now;",
  },
  {
    name: "time that the process did not run is the gateway's",
    file: connection,
    from: "if (this.currentDeadline !== undefined) this.currentDeadline += milliseconds;",
    to: "",
  },
  {
    name: "a command before the connect response is lost",
    file: transitions,
    from: 'command:      { opening: ____,        handshaking: "push"',
    to: 'command:      { opening: ____,        handshaking: "ready"',
  },
  {
    name: "a push is not the latest command",
    file: connection,
    from: "this.latestCommand = command;",
    to: "if (ticket !== undefined) this.latestCommand = command;",
  },
  {
    name: "an idle drop goes unnoticed",
    file: transitions,
    from: 'idle: "drop",   awaiting: "reconnect", down: ____,      backingOff: ____,   reopening: "end"',
    to: 'idle: "ignore", awaiting: "reconnect", down: ____,      backingOff: ____,   reopening: "end"',
  },
  {
    name: "half a frame of the former connection is read on",
    file: connection,
    from: "this.decoder = new FrameDecoder(",
    to: "this.decoder = (this as { former?: FrameDecoder }).former ?? new FrameDecoder(",
    and: {
      from: "this.decoder = undefined; //",
      to: "(this as { former?: FrameDecoder }).former = this.decoder; this.decoder = undefined; //",
    },
  },
];
