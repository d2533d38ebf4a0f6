import type { SendStatusError } from "../../lib/index.js";

// What the library promises for every fault at every moment, written by hand. The specs run each cell against a gateway
// that misbehaves so, and fault-matrix.md shows the table to people.

/** What goes wrong; where a frame is faulty, the frame that belongs there is replaced by it. */
export const FAULT_MEANINGS = {
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

export type Fault = keyof typeof FAULT_MEANINGS;

export const FAULTS = Object.keys(FAULT_MEANINGS) as Fault[];

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

export type Cell = Expected | { readonly because: string };

export interface Row {
  readonly moment: string;
  readonly place: Place;
  /** How much of the frame comes as it should, in a segment of its own, before the fault. */
  readonly cut: number | "half";
  /** The first connection, or the one that the client makes because the first was closed without an answer. */
  readonly life: "first connection" | "reconnection";
  readonly cells: readonly Cell[];
}

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

const noStream = { because: "there is no connection on which anything could arrive" };
const pastLength = { because: "the length is in the header, and the header has already arrived" };
const isIdle = {
  because: "an idle connection is always silent; the rows of the command show what happens to the next status",
};
const notIdle = {
  because: "a reconnection is made for a status, so the connection is not idle until its command has arrived",
};

// A first connect.
const unreachable = expected("UNABLE_TO_CONNECT", "none", 0, 0);
const swallowed = expected("UNABLE_TO_CONNECT", "none", 0, 0, "connectTimeoutMs");
const notConnected = expected("UNABLE_TO_CONNECT", "none", 1, 1);
const notInTime = expected("UNABLE_TO_CONNECT", "none", 1, 1, "connectTimeoutMs");
const broken = expected("NOT_OK", "none", 1, 1);
const wrongDevice = expected("DEVICE_INCORRECT", "none", 1, 1);

// On the first connection.
const succeeds = expected("succeeds", "lives", 1, 1);
const dropped = expected("succeeds", "lives", 1, 2);
const sentAgain = expected("succeeds", "lives", 2, 2);
const sentAgainLate = expected("succeeds", "lives", 2, 2, "timeoutMs");
const noCommand = expected("COMMAND_INCORRECT", "lives", 1, 2);
const notForUs = expected("DEVICE_INCORRECT", "lives", 1, 2);

// On a reconnection, for a status whose first connection was closed without an answer.
const gone = expected("UNABLE_TO_CONNECT", "destroyed", 1, 1);
const swallowedAgain = expected("UNABLE_TO_CONNECT", "destroyed", 1, 1, "timeoutMs", "connectTimeoutMs");
const succeedsAgain = expected("succeeds", "lives", 2, 2);
const closedAgain = expected("UNABLE_TO_CONNECT", "destroyed", 2, 2);
const notInTimeAgain = expected("UNABLE_TO_CONNECT", "destroyed", 2, 2, "connectTimeoutMs");
const noCommandAgain = expected("COMMAND_INCORRECT", "lives", 2, 3);
const notForUsAgain = expected("DEVICE_INCORRECT", "lives", 2, 3);
const timedOutAgain = expected("TIMEOUT_OCCURRED", "destroyed", 2, 2, "timeoutMs");
const droppedAgain = expected("succeeds", "lives", 2, 3);

// ——— the table ———

// In the order of the faults:
//   nothing more, end of stream, reset, silence,
//   garbage, wrong kind, no device, another device,
//   length 2^32-1, length above the limit, length 0,
//   byte by byte, two in one chunk, unknown type

// prettier-ignore
const firstConnect: readonly Cell[] = [
  succeeds, notConnected, notConnected, notInTime,
  broken, notInTime, wrongDevice, wrongDevice,
  broken, broken, broken,
  succeeds, succeeds, broken,
];

// prettier-ignore
const idle: readonly Cell[] = [
  succeeds, dropped, dropped, isIdle,
  dropped, dropped, dropped, succeeds,
  dropped, dropped, dropped,
  succeeds, succeeds, dropped,
];

// prettier-ignore
const firstStatus: readonly Cell[] = [
  succeeds, sentAgain, sentAgain, sentAgainLate,
  noCommand, noCommand, notForUs, notForUs,
  noCommand, noCommand, noCommand,
  succeeds, succeeds, noCommand,
];

// prettier-ignore
const reconnection: readonly Cell[] = [
  succeedsAgain, closedAgain, closedAgain, notInTimeAgain,
  noCommandAgain, notInTimeAgain, notForUsAgain, notForUsAgain,
  noCommandAgain, noCommandAgain, noCommandAgain,
  succeedsAgain, succeedsAgain, noCommandAgain,
];

// prettier-ignore
const resend: readonly Cell[] = [
  succeedsAgain, closedAgain, closedAgain, timedOutAgain,
  noCommandAgain, noCommandAgain, notForUsAgain, notForUsAgain,
  noCommandAgain, noCommandAgain, noCommandAgain,
  succeedsAgain, succeedsAgain, noCommandAgain,
];

// prettier-ignore
const idleAgain: readonly Cell[] = [
  succeedsAgain, droppedAgain, droppedAgain, isIdle,
  droppedAgain, droppedAgain, droppedAgain, succeedsAgain,
  droppedAgain, droppedAgain, droppedAgain,
  succeedsAgain, succeedsAgain, droppedAgain,
];

const never = FAULTS.map(() => notIdle);

function nothingFollows(cell: Cell): readonly Cell[] {
  return [cell, ...FAULTS.slice(1).map(() => noStream)];
}

function pastHeader(cells: readonly Cell[]): readonly Cell[] {
  return cells.map((cell, index) => (FAULTS[index]!.startsWith("length") ? pastLength : cell));
}

/** The moments of a connection's life, and what becomes of a fault there on the first connection and on the reconnection. */
const MOMENTS: readonly [string, Place, Row["cut"], first: readonly Cell[], reconnection: readonly Cell[]][] = [
  ["TCP is refused", "refused", 0, nothingFollows(unreachable), nothingFollows(gone)],
  ["the host does not resolve", "unresolvable", 0, nothingFollows(unreachable), nothingFollows(gone)],
  ["the address swallows packets", "swallowed", 0, nothingFollows(swallowed), nothingFollows(swallowedAgain)],
  ["accepted, nothing read yet", "accepted", 0, firstConnect, reconnection],
  ["before the connect response", "connect response", 0, firstConnect, reconnection],
  ["inside the connect response's header", "connect response", 2, firstConnect, reconnection],
  ["after the connect response's header", "connect response", 4, pastHeader(firstConnect), pastHeader(reconnection)],
  [
    "inside the connect response's body",
    "connect response",
    "half",
    pastHeader(firstConnect),
    pastHeader(reconnection),
  ],
  ["connected and idle", "idle", 0, idle, never],
  ["a large status is being written", "status under way", 0, firstStatus, resend],
  ["before the command", "command", 0, firstStatus, resend],
  ["inside the command's header", "command", 2, firstStatus, resend],
  ["after the command's header", "command", 4, pastHeader(firstStatus), pastHeader(resend)],
  ["inside the command's body", "command", "half", pastHeader(firstStatus), pastHeader(resend)],
  ["right after the command", "behind the command", 0, idle, idleAgain],
];

export const TABLE: readonly Row[] = MOMENTS.flatMap(([moment, place, cut, first, again]): Row[] => [
  { moment, place, cut, life: "first connection", cells: first },
  { moment, place, cut, life: "reconnection", cells: again },
]);
