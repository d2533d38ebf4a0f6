import type { Fault } from "../explore/load.js";
import { SEEDED_FAULTS as PROTOCOL_FAULTS } from "../explore/seeded-faults.js";

const client = "client/client.ts";
const timer = "client/deadline-timer.ts";
const pending = "client/pending-status.ts";
const mailbox = "client/mailbox.ts";

/** Of the explorer's, this one changes nothing outside the machine: its driver settles a status once. */
const INVISIBLE = "a failed status stays in flight";

/** Mistakes that a maintainer could make. The simulator has to see each of them: the explorer's, and those around the protocol. */
export const SEEDED_FAULTS: readonly Fault[] = [
  ...PROTOCOL_FAULTS.filter(({ name }) => name !== INVISIBLE),
  {
    name: "a frame is recycled before the kernel has it",
    file: client,
    from: "if (this.transport?.isFlushed === true) this.connection.flushed();",
    to: "this.connection.flushed();",
  },
  {
    name: "the connection stays open when it is given up",
    file: client,
    from: "const gone = transport.close();",
    to: "const gone = Promise.resolve();",
  },
  {
    name: "the timer runs on after the end",
    file: client,
    from: "    this.timer.stop();\n    this.readers?.end();",
    to: "    this.readers?.end();",
  },
  {
    name: "destroy does not wait until the sockets are gone",
    file: client,
    from: "    await this.closing;",
    to: "",
  },
  {
    name: "destroy forgets to carry out what it caused",
    file: client,
    from: "    this.connection.destroy(performance.now());\n    this.pump();\n    await",
    to: "    this.connection.destroy(performance.now());\n    await",
  },
  {
    name: "an abort is not carried out before the next event",
    file: client,
    from: "    this.connection.abort(pending, reason, performance.now());\n    this.pump();",
    to: "    this.connection.abort(pending, reason, performance.now());",
  },
  {
    name: "the statuses that wait are left behind at the end",
    file: client,
    from: "for (const pending of waiting) pending.fail(",
    to: "for (const pending of waiting.slice(1)) pending.fail(",
  },
  {
    name: "a command completes its status and is not delivered",
    file: client,
    from: "if (command.length > 0 || !this.config.skipsEmptyCommands) this.readers?.deliver(command);",
    to: "if (ticket === undefined) this.readers?.deliver(command);",
  },
  {
    name: "a completed status leaves its listener on the signal",
    file: pending,
    from: "    if (this.signal !== undefined) unlisten(this.signal, this);\n    this.settle(ok(command));",
    to: "    this.settle(ok(command));",
  },
  {
    name: "a failed status leaves its listener on the signal",
    file: pending,
    from: "    if (this.signal !== undefined) unlisten(this.signal, this);\n    this.settle(err(error));",
    to: "    this.settle(err(error));",
  },
  {
    name: "a standstill is not noticed",
    file: "client/standstill.ts",
    from: "if (now - nextBeatAt <= MAX_LATENESS_MS) return;",
    to: "if (now - nextBeatAt <= Infinity) return;",
  },
  {
    name: "a standstill is not noticed before reads",
    file: client,
    from: "    noticeStandstill(this.now);",
    to: "",
  },
  {
    name: "a listener's work counts as the gateway's time",
    file: client,
    from: "    this.connection.postpone(busyMs);\n",
    to: "",
  },
  {
    name: "a limit strikes before what has arrived is read",
    file: timer,
    from: "    this.pendingCheck = setImmediate(() => {",
    to: "    this.pendingCheck = ((run: () => void) => (run(), undefined))(() => {",
  },
  {
    name: "the timer is not armed for an earlier deadline",
    file: timer,
    from: "if (deadline !== undefined && deadline < this.firesAt) this.arm(deadline, now);",
    to: "if (deadline !== undefined && this.firesAt === Infinity) this.arm(deadline, now);",
  },
  {
    name: "a limit strikes with the timer of a former one",
    file: timer,
    from: "    if (now < deadline) this.arm(deadline, now);\n    else this.checkAfterReads();",
    to: "    this.observer.deadlinePassed();",
  },
  {
    name: "a chunk is taken for the whole buffer",
    file: client,
    from: "    this.connection.received(chunk, length);\n    this.pump();",
    to: "    this.connection.received(chunk, chunk.length);\n    this.pump();",
  },
  {
    name: "a reader gets the newest command first",
    file: mailbox,
    from: "this.entries.push(entry);",
    to: "this.entries.splice(this.taken, 0, entry);",
  },
];
