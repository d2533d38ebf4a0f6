import dns from "node:dns";
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { expect, jest } from "@jest/globals";
import {
  connect,
  destroy,
  exchange,
  type ClientHandle,
  type Config,
  type InternalClientError,
} from "../../lib/index.js";
import { commands } from "../../lib/throwing.js";
import { eventually } from "../support/eventually.js";
import { startFrozenGateway } from "../support/frozen-gateway.js";
import { startScriptedGateway, type Peer } from "../support/scripted-gateway.js";
import { timed } from "../support/timed.js";
import { button, CONNECTED } from "../testing/wire.js";
import type { Expected, Fault, Row } from "./fault-table.js";
import { acceptDevice, LARGE_STATUS_BYTES, misbehave, serve } from "./misbehaviour.js";

/** What one cell of the table came to. */
export interface Observed {
  readonly outcome: string;
  readonly error: InternalClientError | undefined;
  /** The command that completed the call's status, as hex. */
  readonly command: string | undefined;
  readonly elapsedMs: number;
  readonly connections: number;
  /** How the next status ended, and the command that completed it. */
  readonly next: string | undefined;
  readonly nextCommand: string | undefined;
  readonly connectionsWithNext: number;
  /** Every command that the client gave, as hex. */
  readonly commands: readonly string[];
  /** How many of its connections are left when the client is gone. */
  readonly socketsLeft: number;
}

/** Longer than a spec may take. */
const NEVER_MS = 600_000;

/** The limits that a cell's call has. Where one has to pass it is short; any other cannot be what ended the call. */
export function limitsOf(row: Row, cell: Expected): { timeoutMs: number; connectTimeoutMs: number } {
  const { waitsFor } = cell;
  // A large status takes its time to be sent again.
  const short = row.place === "status under way" ? 3_000 : 600;
  return {
    timeoutMs: waitsFor.includes("timeoutMs") ? short : NEVER_MS,
    connectTimeoutMs: waitsFor.includes("connectTimeoutMs") ? 600 : NEVER_MS,
  };
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly openSockets: number;
  readonly stop: () => Promise<void>;
  /** Settles when the row's connection has had its fault. */
  readonly misbehaved: Promise<void>;
  /** To be called when the client stands and before its status is sent. */
  readonly beforeStatus: () => Promise<void>;
}

/** Over a Unix socket in that folder, where one is given, and else over TCP. */
export async function runCell(row: Row, fault: Fault, cell: Expected, unixFolder?: string): Promise<Observed> {
  const unixPath = unixFolder === undefined ? undefined : join(unixFolder, `${(unixSockets += 1)}`);
  const gateway = await startGatewayFor(row, fault, unixPath);
  const createConnection = unixPath === undefined ? undefined : () => connectSocket(unixPath);
  try {
    return await observe(gateway, createConnection, row, cell);
  } finally {
    await gateway.stop();
  }
}

let unixSockets = 0;

async function observe(
  gateway: Endpoint,
  createConnection: Config["createConnection"],
  row: Row,
  cell: Expected,
): Promise<Observed> {
  const { timeoutMs, connectTimeoutMs } = limitsOf(row, cell);
  const nothing = { error: undefined, command: undefined, next: undefined, nextCommand: undefined, commands: [] };
  const { host, port } = gateway;

  const connecting = () => connect({ host, port, device: button, connectTimeoutMs, createConnection });
  const [connected, connectMs] = await timed(connecting);
  let elapsedMs = connectMs;
  let connections = gateway.connections;
  if (connected.isErr()) {
    const socketsLeft = await socketsLeftAt(gateway);
    const { error } = connected;
    const connectionsWithNext = gateway.connections;
    return { ...nothing, outcome: error.code, error, elapsedMs, connections, connectionsWithNext, socketsLeft };
  }

  const client = connected.value;
  const given = collect(client);
  await gateway.beforeStatus();
  let call;
  if (isAboutStatus(row)) {
    [call, elapsedMs] = await timed(() => exchange(client, statusFor(row), { timeoutMs }));
    connections = gateway.connections;
  }
  if (cell.outcome === "succeeds") await gateway.misbehaved;
  await sleep(20);
  await turn(); // timers come before reads: what came behind may lie unread so far
  const next = await exchange(client, Uint8Array.of(2), { timeoutMs: NEVER_MS });
  const connectionsWithNext = gateway.connections;
  await destroy(client);
  return {
    outcome: call?.isErr() === true ? call.error.code : "succeeds",
    error: call?.isErr() === true ? call.error : undefined,
    command: call?.isOk() === true ? hex(call.value) : undefined,
    elapsedMs,
    connections,
    next: next.isErr() ? next.error.code : "succeeds",
    nextCommand: next.isOk() ? hex(next.value) : undefined,
    connectionsWithNext,
    commands: await given,
    socketsLeft: await socketsLeftAt(gateway),
  };
}

/** Whether the moment lies in a status; else it lies in a first connect, or after it. */
export function isAboutStatus(row: Row): boolean {
  return row.life === "reconnection" || ["status under way", "command", "behind the command"].includes(row.place);
}

function statusFor(row: Row): Uint8Array {
  return row.place === "status under way" ? new Uint8Array(LARGE_STATUS_BYTES) : Uint8Array.of(1);
}

async function collect(client: ClientHandle): Promise<string[]> {
  const given: string[] = [];
  for await (const command of commands(client)) given.push(hex(command));
  return given;
}

/** What the client closes, the gateway learns of a moment later. */
async function socketsLeftAt(gateway: Endpoint): Promise<number> {
  await eventually(() => expect(gateway.openSockets).toBe(0)).catch(() => undefined);
  return gateway.openSockets;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

// ——— the gateways ———

async function startGatewayFor(row: Row, fault: Fault, unixPath: string | undefined): Promise<Endpoint> {
  switch (row.place) {
    case "swallowed":
      return startSwallowing(row);
    case "unresolvable":
      return startUnresolvable(row);
    case "refused":
      return startRefusing(row, unixPath);
    default:
      return startMisbehaving(row, fault, unixPath);
  }
}

async function startMisbehaving(row: Row, fault: Fault, unixPath: string | undefined): Promise<Endpoint> {
  const faulty = row.life === "first" ? 1 : 2;
  let tellMisbehaved = (): void => undefined;
  const misbehaved = new Promise<void>((resolve) => (tellMisbehaved = resolve));
  const gateway = await startScriptedGateway(async (peer) => {
    if (peer.number < faulty) return closeUnanswered(peer);
    if (peer.number === faulty) {
      try {
        await misbehave(peer, row, fault);
      } finally {
        tellMisbehaved();
      }
    }
    return serve(peer);
  }, unixPath);
  return withMembers(gateway, { misbehaved, beforeStatus: () => Promise.resolve() });
}

/** The module finds the status invalid, so to say: it gets no answer, and the connection is closed. */
async function closeUnanswered(peer: Peer): Promise<void> {
  await acceptDevice(peer);
  await peer.readFrame();
  peer.endOfStream();
}

async function startRefusing(row: Row, unixPath: string | undefined): Promise<Endpoint> {
  const gateway = await startScriptedGateway(async (peer) => {
    await acceptDevice(peer);
    await peer.readFrame();
    gateway.closePort();
    peer.endOfStream();
  }, unixPath);
  if (row.life === "first") gateway.closePort();
  return withMembers(gateway, { misbehaved: Promise.resolve(), beforeStatus: () => Promise.resolve() });
}

/** A host name whose resolution the cell itself decides on: names of other hosts are resolved as ever. */
async function startUnresolvable(row: Row): Promise<Endpoint> {
  const gateway = await startScriptedGateway(closeUnanswered);
  if (row.life === "first") {
    // A label of more than 63 letters: no resolver has to be asked.
    const host = `${"x".repeat(64)}.invalid`;
    return withMembers(gateway, { host, misbehaved: Promise.resolve(), beforeStatus: () => Promise.resolve() });
  }
  const host = "gateway.invalid";
  let isKnown = true;
  const systemLookup = dns.lookup;
  const lookup = (asked: string, options: dns.LookupOptions, done: (...outcome: unknown[]) => void): void => {
    if (asked !== host) return (systemLookup as (...given: unknown[]) => void)(asked, options, done);
    const unknown = Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: "ENOTFOUND" });
    setImmediate(() => {
      if (isKnown) done(null, options.all === true ? [{ address: gateway.host, family: 4 }] : gateway.host, 4);
      else done(unknown);
    });
  };
  const spy = jest.spyOn(dns, "lookup").mockImplementation(lookup as unknown as typeof dns.lookup);
  return withMembers(gateway, {
    host,
    misbehaved: Promise.resolve(),
    beforeStatus: async () => {
      isKnown = false;
    },
    stop: async () => {
      spy.mockRestore();
      await gateway.stop();
    },
  });
}

async function startSwallowing(row: Row): Promise<Endpoint> {
  const gateway = await startFrozenGateway(CONNECTED);
  if (row.life === "first") await gateway.freeze();
  const beforeStatus = row.life === "first" ? () => Promise.resolve() : gateway.freeze;
  return withMembers(gateway, { openSockets: 0, misbehaved: Promise.resolve(), beforeStatus });
}

/** The same gateway, whose counts go on counting, with other members. */
function withMembers<Gateway extends object, Members extends object>(
  gateway: Gateway,
  members: Members,
): Gateway & Members {
  return Object.defineProperties(Object.create(gateway), Object.getOwnPropertyDescriptors(members)) as Gateway &
    Members;
}
