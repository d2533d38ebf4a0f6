import type { Fault } from "./library.js";

const connection = "protocol/device-connection.ts";
const transitions = "protocol/transitions.ts";
const queue = "protocol/status-queue.ts";
const decoder = "protocol/frame-decoder.ts";
const client = "client/client.ts";
const timer = "client/deadline-timer.ts";
const transport = "client/transport.ts";
const pending = "client/pending-status.ts";
const readers = "client/command-readers.ts";

/** Mistakes that a maintainer could make. The simulator has to report each of them. */
export const SEEDED_FAULTS: readonly Fault[] = [
  {
    name: "a command that began before the status was sent completes it",
    file: connection,
    from: 'if (message.kind === "command" && body.beganBeforeMark)',
    to: 'if (message.kind === "command" && false)',
  },
  {
    name: "a body counts from the chunk that ends it",
    file: decoder,
    from: "beganBeforeMark: this.beganInChunk <= this.markedChunks",
    to: "beganBeforeMark: this.chunks <= this.markedChunks",
  },
  {
    name: "the next status goes out before the chunk is read to its end",
    file: connection,
    from: `      const message = this.nextMessage();
      if (message !== undefined) this.take(message, now);
      else if (!this.startNextStatus(now)) return undefined;`,
    to: `      if (this.startNextStatus(now)) continue;
      const message = this.nextMessage();
      if (message === undefined) return undefined;
      this.take(message, now);`,
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
    name: "it asks again for ever",
    file: connection,
    from: "next > this.askUntil || next >= this.reconnectUntil",
    to: "false",
  },
  {
    name: "it asks again without closing the refused connection",
    file: connection,
    from: '    this.closeConnection(input);\n    this.currentState = "backingOff";',
    to: '    this.currentState = "backingOff";',
  },
  {
    name: "an aborted status leaves its connection open",
    file: connection,
    from: "    this.leave(input, failure, now);\n    this.inFlight = undefined;",
    to: '    if (input.kind === "abort") this.rest("idle");\n    else this.leave(input, failure, now);\n    this.inFlight = undefined;',
  },
  {
    name: "the end forgets the statuses that wait",
    file: connection,
    from: 'this.emit({ kind: "ended", failure, inFlight, waiting });',
    to: 'this.emit({ kind: "ended", failure, inFlight, waiting: [] });',
  },
  {
    name: "an aborted status that waits is forgotten",
    file: connection,
    from: "else if (this.queue.remove(ticket)) this.emit",
    to: "else if (this.queue.isEmpty) this.emit",
  },
  {
    name: "the newest status goes first",
    file: queue,
    from: "return this.take(0);",
    to: "return this.take(this.waiting.length - 1);",
  },
  {
    name: "a frame is recycled when its status is completed, not when the kernel has it",
    file: connection,
    from: "    this.spentFrame = frame;",
    to: "    this.queue.recycle(frame);",
  },
  {
    name: "a recycled frame lacks a byte of its status",
    file: queue,
    from: "spare.set(status, spare.length - status.length);",
    to: "spare.set(status.subarray(1), spare.length - status.length);",
  },
  {
    name: "time that the process did not run is the gateway's",
    file: connection,
    from: "if (this.currentDeadline !== undefined) this.currentDeadline += milliseconds;",
    to: "",
  },
  {
    name: "a push is not the latest command",
    file: connection,
    from: "this.latestCommand = command;",
    to: "if (ticket !== undefined) this.latestCommand = command;",
  },
  {
    name: "a refusal on a reconnection is taken for an acceptance",
    file: transitions,
    from: 'rehandshaking: "askAgain", awaitingAgain: "fail",     destroyed: ____      },',
    to: 'rehandshaking: "resume", awaitingAgain: "fail",     destroyed: ____      },',
  },
  {
    name: "half a frame of the former connection is read on",
    file: connection,
    from: "this.decoder = new FrameDecoder(",
    to: "this.decoder ??= (this as unknown as { old: FrameDecoder }).old ??= new FrameDecoder(",
  },
  {
    name: "a late timer is not noticed",
    file: timer,
    from: "if (lateness > MAX_LATENESS_MS) this.observer.postpone(lateness);",
    to: "",
  },
  {
    name: "a busy listener is not noticed",
    file: client,
    from: "if (busyMs > 0) this.connection.postpone(busyMs);",
    to: "",
  },
  {
    name: "the end leaves the timer armed",
    file: client,
    from: '  private end({ failure, inFlight, waiting }: EffectOf<"ended">): void {\n    this.timer.stop();',
    to: '  private end({ failure, inFlight, waiting }: EffectOf<"ended">): void {',
  },
  {
    name: "the timer keeps the process alive against the user's will",
    file: timer,
    from: "else this.timer?.unref();",
    to: "",
  },
  {
    name: "a reader is left waiting at the end",
    file: client,
    from: "    this.readers?.end();\n    if (this.onConnected",
    to: "    if (this.onConnected",
  },
  {
    name: "a reader gets the pushed commands alone",
    file: client,
    from: "this.readers?.deliver(command);",
    to: "if (ticket === undefined) this.readers?.deliver(command);",
  },
  {
    name: "effects are carried out within each other",
    file: client,
    from: "    if (this.isPumping) return;\n    this.isPumping = true;",
    to: "    this.isPumping = true;",
  },
  {
    name: "the end of the stream is not noticed",
    file: transport,
    from: 'stream.on("end", () => fail(undefined));',
    to: "",
  },
  {
    name: "a closed connection's socket stays open",
    file: transport,
    from: "for (const stream of [...this.streams]) destroyStream(stream);",
    to: "",
  },
  {
    name: "a connection that is closed still reports what arrives",
    file: transport,
    from: "  private shut(): void {\n    this.events = undefined;",
    to: "  private shut(): void {",
  },
  {
    name: "an abort is not heard",
    file: pending,
    from: "this.observer.abort(this, this.signal?.reason);",
    to: "",
  },
  {
    name: "a reader gets its commands in the reverse order",
    file: readers,
    from: "this.unread.shift();",
    to: "this.unread.pop();",
  },
];
