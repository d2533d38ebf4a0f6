import type { Readable } from "node:stream";
import type { InternalClientError } from "../index.js";

/** Where a command writes: the part of `process.stdout` that it uses. */
export interface Output {
  write(text: string, written?: (error?: Error | null) => void): unknown;
  /** How much of the output nobody has taken yet. */
  readonly writableLength?: number | undefined;
  /** Whether it is a terminal; its size is `columns` by `rows`. */
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  on(event: "resize", listener: () => void): unknown;
  off(event: "resize", listener: () => void): unknown;
}

/** What the shell does with Ctrl-Z and `fg`. */
export interface JobControl {
  on(signal: "SIGTSTP" | "SIGCONT", listener: () => void): unknown;
  off(signal: "SIGTSTP" | "SIGCONT", listener: () => void): unknown;
  /** Stops the process until it is continued, as Ctrl-Z does to a process without a listener for it. */
  stop(): void;
}

/** Everything that a command uses besides the network and files, so that a spec can replace it. */
export interface Surroundings {
  readonly input: Readable & { readonly isTTY?: boolean | undefined };
  /** For the output that was asked for. */
  readonly output: Output;
  /** For errors. */
  readonly errors: Pick<Output, "write">;
  /** Aborts when the command is to end: Ctrl-C, or the output cannot be written any more. */
  readonly signal: AbortSignal;
  /** Does what Ctrl-C does, for a command that reads the keys itself. */
  readonly interrupt: () => void;
  readonly job: JobControl;
  /** Whether the terminal can move its cursor. */
  readonly canRedraw: boolean;
}

export const ExitCode = {
  DONE: 0,
  UNEXPECTED: 1,
  COMMAND_LINE: 2,
  REFUSED: 3,
  COMMUNICATION: 4,
  USAGE: 5,
  NOT_HELD: 6,
  INTERRUPTED: 130,
} as const;

export const exitCodeMeanings: readonly (readonly [code: number, meaning: string])[] = [
  [ExitCode.DONE, "done; for watch and gateway also: ended by Ctrl-C, or the output was closed"],
  [ExitCode.UNEXPECTED, "the output or the log cannot be written, or something unexpected failed"],
  [ExitCode.COMMAND_LINE, "invalid arguments, or a status that cannot be read"],
  [ExitCode.REFUSED, "the gateway refused the device (already connected, module or type not supported)"],
  [
    ExitCode.COMMUNICATION,
    "no connection, no command in time, or a gateway that breaks the protocol; gateway: it cannot listen",
  ],
  [ExitCode.USAGE, "the library refused the call, for example a status that is too large"],
  [ExitCode.NOT_HELD, "check: the gateway does not follow the protocol"],
  [ExitCode.INTERRUPTED, "send or check was interrupted"],
];

const ofFamilies = {
  connect: ExitCode.REFUSED,
  communication: ExitCode.COMMUNICATION,
  usage: ExitCode.USAGE,
} as const;

export function exitCodeOf(error: Pick<InternalClientError, "family">): number {
  return ofFamilies[error.family];
}
