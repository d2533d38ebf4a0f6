/** What a command says of itself, so that whoever receives it can tell whether it ought to have come. */
export interface Tag {
  readonly device: string;
  /** The TCP connection on which the gateway sent it, counted from 1. */
  readonly connection: number;
  /** Which command on that connection it was, counted from 1. */
  readonly sequence: number;
  /** The status that it answers; undefined for a pushed command. */
  readonly answers: number | undefined;
}

export function writeTag({ device, connection, sequence, answers }: Tag): Uint8Array {
  return Buffer.from(`${device} ${connection} ${sequence} ${answers ?? "push"}`);
}

export function readTag(command: Uint8Array): Tag {
  const [device = "", connection, sequence, answers] = Buffer.from(command).toString().split(" ");
  return {
    device,
    connection: Number(connection),
    sequence: Number(sequence),
    answers: answers === "push" ? undefined : Number(answers),
  };
}

/**
 * Keeps account of the commands that one client gives, and finds the late, lost, doubled and foreign ones. It looks at
 * nothing but the commands' own tags and what the gateway knows of the device's connections.
 */
export class Ledger {
  /** What was wrong, in words; the first few. */
  readonly problems: string[] = [];
  /** How often a command came from a newer connection than the one before. */
  reconnections = 0;

  /** The command that arrived last. */
  private last: Tag | undefined;
  private lastOutcome: Tag | undefined;
  /** The statuses that a command has completed. A gateway may give a late answer on the device's next connection. */
  private readonly completedStatuses = new Set<number>();
  /** Those that failed and left the client alive: their answers may still come. */
  private readonly failed = new Set<number>();
  private droppedUpTo = 0;

  constructor(
    private readonly device: string,
    /** On which connection the gateway heard the device connect last. */
    private readonly latestConnection: () => number,
    /** The client's first status. Of those before it the device's former client gave account; their answers may still come. */
    private readonly firstStatus = 1,
  ) {}

  /** A command as `commands()` gives it, in that order. */
  arrived(command: Uint8Array): void {
    const tag = readTag(command);
    const { last } = this;
    this.checkOwn(tag, "arrived");
    if (tag.connection !== this.latestConnection()) {
      this.fault(tag, `arrived when the device had already connected on connection ${this.latestConnection()}`);
    }
    if (last?.connection === tag.connection && tag.sequence !== last.sequence + 1) {
      this.fault(tag, `arrived after command ${last.sequence} of its connection`);
    }
    if (last !== undefined && tag.connection > last.connection) {
      this.reconnections += 1;
      if (tag.sequence !== 1) this.fault(tag, "arrived as the first of its connection");
    }
    if (last !== undefined && tag.connection < last.connection) this.fault(tag, "arrived from an older connection");
    this.last = tag;
  }

  /** The command that completed a status; told in the order of the calls. */
  completed(status: number, command: Uint8Array): void {
    const tag = readTag(command);
    const before = this.lastOutcome;
    this.checkOwn(tag, `was given to status ${status}`);
    if (before !== undefined && !isLater(tag, before))
      this.fault(tag, `was given to status ${status}, and it is no news`);
    if (tag.answers !== undefined && tag.answers !== status) this.checkDisplaced(tag, tag.answers, status);
    this.completedStatuses.add(status);
    this.lastOutcome = tag;
  }

  /** The client has dropped its connection, so that nothing of it may be given to anyone from now on. */
  dropped(status: number): void {
    this.failed.add(status);
    this.droppedUpTo = this.latestConnection();
  }

  /** Everything has ended: what completed a status must have come by `commands()` too. */
  close(): void {
    const { lastOutcome, last } = this;
    if (lastOutcome === undefined || (last !== undefined && !isLater(lastOutcome, last))) return;
    this.fault(lastOutcome, "completed a status, but commands() never gave it");
  }

  /**
   * A status may get an earlier one's answer only where another command had completed that one: a pushed one, or, where it
   * was sent twice, its other answer.
   */
  private checkDisplaced(tag: Tag, answered: number, status: number): void {
    if (answered < this.firstStatus || this.failed.has(answered) || this.completedStatuses.has(answered)) return;
    this.fault(tag, `was given to status ${status}`);
  }

  private checkOwn(tag: Tag, what: string): void {
    if (tag.device !== this.device) this.fault(tag, `${what} at device ${this.device}`);
    if (tag.connection <= this.droppedUpTo) this.fault(tag, `${what} after its connection had been dropped`);
  }

  private fault(tag: Tag, what: string): void {
    const { device, connection, sequence, answers } = tag;
    const name = `${device}'s command ${sequence} on connection ${connection}`;
    if (this.problems.length < 5)
      this.problems.push(`${name} (${answers === undefined ? "pushed" : `answer to ${answers}`}) ${what}`);
  }
}

export function isLater(one: Tag, other: Tag): boolean {
  if (one.connection !== other.connection) return one.connection > other.connection;
  return one.sequence > other.sequence;
}
