import type { SendStatusError } from "../../lib/index.js";

// What the library promises for every fault at every moment, written by hand. The specs run each cell against a gateway
// that misbehaves so, and fault-matrix.md shows the table to people.

/** What goes wrong; where a frame is faulty, the frame that belongs there is replaced by it. */
export const FAULTS = [
  "nothing more",
  "end of stream",
  "reset",
  "silence",
  "garbage",
  "wrong kind",
  "no device",
  "another device",
  "length 2^32-1",
  "length above the limit",
  "length 0",
  "byte by byte",
  "two in one chunk",
  "unknown type",
] as const;

export type Fault = (typeof FAULTS)[number];

export const FAULT_MEANINGS: Record<Fault, string> = {
  "nothing more": "nothing goes wrong beyond what the moment itself says",
  "end of stream": "the gateway closes the connection (FIN)",
  reset: "the gateway resets the connection (RST)",
  silence: "the gateway sends nothing any more, and leaves the connection open",
  garbage: "a whole frame arrives whose body is not protobuf",
  "wrong kind":
    "a command arrives instead of the connect response, where it counts as a push, or a connect response instead of a command",
  "no device": "a well-formed message of the right kind arrives that names no device",
  "another device": "a well-formed message of the right kind arrives that names another device",
  "length 2^32-1": "a header arrives that announces a body of 4,294,967,295 bytes",
  "length above the limit": "a header arrives that announces a body one byte above `maxMessageBytes`",
  "length 0": "a header arrives that announces an empty body",
  "byte by byte": "the right message arrives, each byte in its own segment",
  "two in one chunk": "the right message arrives, followed by a pushed command in the same segment",
  "unknown type": "a connect response arrives with a type that the protocol does not have",
};

/** What the client makes of a fault. */
export interface Expected {
  /** How the call ends that was under way: `connect` for the moments of a first connect, else the status. */
  readonly outcome: "succeeds" | SendStatusError["code"];
  /** What becomes of the client: the next status succeeds, the next status gets CONTEXT_INCORRECT, or there never was one. */
  readonly client: "lives" | "destroyed" | "none";
  /** How many connections the gateway has accepted when the call has ended, and when the next status has. */
  readonly connections: number;
  readonly connectionsWithNext: number;
  /** Which limits have to pass before the call ends; without any it ends at once. */
  readonly waitsFor: readonly ("timeoutMs" | "connectTimeoutMs")[];
}

interface Impossible {
  readonly because: string;
}

export type Cell = Expected | Impossible;

type Place =
  | "refused"
  | "unresolvable"
  | "swallowed"
  | "accepted"
  | "connect response"
  | "idle"
  | "status under way"
  | "command"
  | "behind the command";

export interface Row {
  readonly moment: string;
  readonly place: Place;
  /** How much of the frame comes as it should, in a segment of its own, before the fault. */
  readonly cut: number | "half";
  /** The first connection, or the one that the client makes because the first was closed without an answer. */
  readonly life: "first" | "reconnection";
  readonly cells: readonly Cell[];
}

// ——— the outcomes ———

function expected(
  outcome: Expected["outcome"],
  client: Expected["client"],
  connections: number,
  connectionsWithNext: number,
  ...waitsFor: Expected["waitsFor"]
): Expected {
  return { outcome, client, connections, connectionsWithNext, waitsFor };
}

function no(because: string): Impossible {
  return { because };
}

const noStream = no("there is no connection on which anything could arrive");
const pastLength = no("the length is in the header, and the header has already arrived");
const isIdle = no("an idle connection is always silent; the rows of the command show what happens to the next status");
const notIdle = no("a reconnection is made for a status, so the connection is not idle until its command has arrived");

// A first connect.
const unreachable = expected("UNABLE_TO_CONNECT", "none", 0, 0);
const swallowed = expected("UNABLE_TO_CONNECT", "none", 0, 0, "connectTimeoutMs");
const connects = expected("succeeds", "lives", 1, 1);
const notConnected = expected("UNABLE_TO_CONNECT", "none", 1, 1);
const notInTime = expected("UNABLE_TO_CONNECT", "none", 1, 1, "connectTimeoutMs");
const broken = expected("NOT_OK", "none", 1, 1);
const wrongDevice = expected("DEVICE_INCORRECT", "none", 1, 1);

// Nothing in hand on the first connection.
const stays = expected("succeeds", "lives", 1, 1);
const dropped = expected("succeeds", "lives", 1, 2);

// A status on the first connection.
const answered = expected("succeeds", "lives", 1, 1);
const sentAgain = expected("succeeds", "lives", 2, 2);
const sentAgainLate = expected("succeeds", "lives", 2, 2, "timeoutMs");
const noCommand = expected("COMMAND_INCORRECT", "lives", 1, 2);
const notForUs = expected("DEVICE_INCORRECT", "lives", 1, 2);

// A reconnection, for a status whose first connection was closed without an answer.
const gone = expected("UNABLE_TO_CONNECT", "destroyed", 1, 1);
const swallowedAgain = expected("UNABLE_TO_CONNECT", "destroyed", 1, 1, "timeoutMs", "connectTimeoutMs");
const reconnects = expected("succeeds", "lives", 2, 2);
const closedAgain = expected("UNABLE_TO_CONNECT", "destroyed", 2, 2);
const notInTimeAgain = expected("UNABLE_TO_CONNECT", "destroyed", 2, 2, "connectTimeoutMs");
const brokenAgain = expected("COMMAND_INCORRECT", "lives", 2, 3);
const notForUsAgain = expected("DEVICE_INCORRECT", "lives", 2, 3);
const timedOutAgain = expected("TIMEOUT_OCCURRED", "destroyed", 2, 2, "timeoutMs");

// Nothing in hand any more on the second connection.
const staysAgain = expected("succeeds", "lives", 2, 2);
const droppedAgain = expected("succeeds", "lives", 2, 3);

const nothingFollows = FAULTS.slice(1).map(() => noStream);

// ——— the table ———

// In the order of FAULTS:
//   nothing more, end of stream, reset, silence,
//   garbage, wrong kind, no device, another device,
//   length 2^32-1, length above the limit, length 0,
//   byte by byte, two in one chunk, unknown type

// prettier-ignore
const firstConnect: readonly Cell[] = [
  connects, notConnected, notConnected, notInTime,
  broken, notInTime, wrongDevice, wrongDevice,
  broken, broken, broken,
  connects, connects, broken,
];

// prettier-ignore
const firstConnectPastHeader: readonly Cell[] = [
  connects, notConnected, notConnected, notInTime,
  broken, notInTime, wrongDevice, wrongDevice,
  pastLength, pastLength, pastLength,
  connects, connects, broken,
];

// prettier-ignore
const idle: readonly Cell[] = [
  stays, dropped, dropped, isIdle,
  dropped, dropped, dropped, stays,
  dropped, dropped, dropped,
  stays, stays, dropped,
];

// prettier-ignore
const firstStatus: readonly Cell[] = [
  answered, sentAgain, sentAgain, sentAgainLate,
  noCommand, noCommand, notForUs, notForUs,
  noCommand, noCommand, noCommand,
  answered, answered, noCommand,
];

// prettier-ignore
const firstStatusPastHeader: readonly Cell[] = [
  answered, sentAgain, sentAgain, sentAgainLate,
  noCommand, noCommand, notForUs, notForUs,
  pastLength, pastLength, pastLength,
  answered, answered, noCommand,
];

// prettier-ignore
const reconnection: readonly Cell[] = [
  reconnects, closedAgain, closedAgain, notInTimeAgain,
  brokenAgain, notInTimeAgain, notForUsAgain, notForUsAgain,
  brokenAgain, brokenAgain, brokenAgain,
  reconnects, reconnects, brokenAgain,
];

// prettier-ignore
const reconnectionPastHeader: readonly Cell[] = [
  reconnects, closedAgain, closedAgain, notInTimeAgain,
  brokenAgain, notInTimeAgain, notForUsAgain, notForUsAgain,
  pastLength, pastLength, pastLength,
  reconnects, reconnects, brokenAgain,
];

// prettier-ignore
const resend: readonly Cell[] = [
  reconnects, closedAgain, closedAgain, timedOutAgain,
  brokenAgain, brokenAgain, notForUsAgain, notForUsAgain,
  brokenAgain, brokenAgain, brokenAgain,
  reconnects, reconnects, brokenAgain,
];

// prettier-ignore
const resendPastHeader: readonly Cell[] = [
  reconnects, closedAgain, closedAgain, timedOutAgain,
  brokenAgain, brokenAgain, notForUsAgain, notForUsAgain,
  pastLength, pastLength, pastLength,
  reconnects, reconnects, brokenAgain,
];

// prettier-ignore
const behindResend: readonly Cell[] = [
  staysAgain, droppedAgain, droppedAgain, isIdle,
  droppedAgain, droppedAgain, droppedAgain, staysAgain,
  droppedAgain, droppedAgain, droppedAgain,
  staysAgain, staysAgain, droppedAgain,
];

function row(moment: string, place: Place, cut: Row["cut"], life: Row["life"], cells: readonly Cell[]): Row {
  return { moment, place, cut, life, cells };
}

export const TABLE: readonly Row[] = [
  row("TCP is refused", "refused", 0, "first", [unreachable, ...nothingFollows]),
  row("the host does not resolve", "unresolvable", 0, "first", [unreachable, ...nothingFollows]),
  row("the address swallows packets", "swallowed", 0, "first", [swallowed, ...nothingFollows]),
  row("accepted, nothing read yet", "accepted", 0, "first", firstConnect),
  row("before the connect response", "connect response", 0, "first", firstConnect),
  row("after 1 byte of the connect response's header", "connect response", 1, "first", firstConnect),
  row("after 2 bytes of the connect response's header", "connect response", 2, "first", firstConnect),
  row("after 3 bytes of the connect response's header", "connect response", 3, "first", firstConnect),
  row("after the connect response's header", "connect response", 4, "first", firstConnectPastHeader),
  row("inside the connect response's body", "connect response", "half", "first", firstConnectPastHeader),
  row("connected and idle", "idle", 0, "first", idle),
  row("a large status is being written", "status under way", 0, "first", firstStatus),
  row("before the command", "command", 0, "first", firstStatus),
  row("after 1 byte of the command's header", "command", 1, "first", firstStatus),
  row("after 2 bytes of the command's header", "command", 2, "first", firstStatus),
  row("after 3 bytes of the command's header", "command", 3, "first", firstStatus),
  row("after the command's header", "command", 4, "first", firstStatusPastHeader),
  row("inside the command's body", "command", "half", "first", firstStatusPastHeader),
  row("right after the command", "behind the command", 0, "first", idle),

  row("TCP is refused", "refused", 0, "reconnection", [gone, ...nothingFollows]),
  row("the host no longer resolves", "unresolvable", 0, "reconnection", [gone, ...nothingFollows]),
  row("the address swallows packets", "swallowed", 0, "reconnection", [swallowedAgain, ...nothingFollows]),
  row("accepted, nothing read yet", "accepted", 0, "reconnection", reconnection),
  row("before the connect response", "connect response", 0, "reconnection", reconnection),
  row("after 1 byte of the connect response's header", "connect response", 1, "reconnection", reconnection),
  row("after 2 bytes of the connect response's header", "connect response", 2, "reconnection", reconnection),
  row("after 3 bytes of the connect response's header", "connect response", 3, "reconnection", reconnection),
  row("after the connect response's header", "connect response", 4, "reconnection", reconnectionPastHeader),
  row("inside the connect response's body", "connect response", "half", "reconnection", reconnectionPastHeader),
  row(
    "connected and idle",
    "idle",
    0,
    "reconnection",
    FAULTS.map(() => notIdle),
  ),
  row("the large status is being written again", "status under way", 0, "reconnection", resend),
  row("before the command", "command", 0, "reconnection", resend),
  row("after 1 byte of the command's header", "command", 1, "reconnection", resend),
  row("after 2 bytes of the command's header", "command", 2, "reconnection", resend),
  row("after 3 bytes of the command's header", "command", 3, "reconnection", resend),
  row("after the command's header", "command", 4, "reconnection", resendPastHeader),
  row("inside the command's body", "command", "half", "reconnection", resendPastHeader),
  row("right after the command", "behind the command", 0, "reconnection", behindResend),
];
