import type { InternalClientError } from "../index.js";

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
  [ExitCode.DONE, "done; for watch and gateway also: ended by Ctrl-C"],
  [ExitCode.UNEXPECTED, "an unexpected failure"],
  [ExitCode.COMMAND_LINE, "a wrong command line, or a status that cannot be read"],
  [ExitCode.REFUSED, "the gateway refused the device (connected already, module or type not supported)"],
  [ExitCode.COMMUNICATION, "no connection, no command in time, not the protocol; gateway: the port cannot be had"],
  [ExitCode.USAGE, "the library refused the call, for example a status that is too large"],
  [ExitCode.NOT_HELD, "check: the gateway did not do all that is expected of it"],
  [ExitCode.INTERRUPTED, "send or check was interrupted"],
];

const ofFamilies = {
  connect: ExitCode.REFUSED,
  communication: ExitCode.COMMUNICATION,
  usage: ExitCode.USAGE,
} as const;

export function exitCodeOf(error: InternalClientError): number {
  return ofFamilies[error.family];
}
