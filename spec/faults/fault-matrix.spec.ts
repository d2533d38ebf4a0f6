import { readFileSync, writeFileSync } from "node:fs";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  connect,
  destroy,
  exchange,
  type ClientHandle,
  type InternalClientError,
  type Result,
} from "../../lib/index.js";
import { commands } from "../../lib/throwing.js";
import { hex } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { button, endAll, keep } from "../support/opened.js";
import { timed } from "../support/timed.js";
import { faultDocument, shown } from "./fault-document.js";
import { FAULTS, TABLE, type Expected, type Fault, type Row } from "./fault-table.js";
import {
  ANSWER_BYTE,
  FAULTY_BYTE,
  LARGE_STATUS_BYTES,
  NEXT_ANSWER_BYTE,
  PUSHED_BYTE,
  startFaultyGateway,
  type FaultyGateway,
} from "./faulty-gateway.js";

interface Run {
  readonly row: Row;
  readonly fault: Fault;
  readonly cell: Expected;
  played: Promise<void>;
}

const NOT_PLAYED = Promise.resolve();

const runs: Run[] = TABLE.flatMap((row) =>
  row.cells.flatMap((cell, index) =>
    "because" in cell ? [] : [{ row, fault: FAULTS[index]!, cell, played: NOT_PLAYED }],
  ),
);

describe("the table of faults", () => {
  it("has a cell for every fault at every moment", () => {
    expect(TABLE.map(({ cells }) => cells.length)).toEqual(TABLE.map(() => FAULTS.length));
  });

  it("is what fault-matrix.md shows", () => {
    const page = "spec/faults/fault-matrix.md";
    if (process.env["WRITE_PAGES"] !== undefined) writeFileSync(page, faultDocument());
    expect(readFileSync(page, "utf8")).toBe(faultDocument());
  });
});

describe.each(["first connection", "reconnection"] as const)("a fault on the %s", (life) => {
  beforeAll(playAll);

  // A row in which nothing can be has nothing to play.
  const rows = TABLE.filter((row) => row.life === life && runs.some((run) => run.row === row));
  describe.each(rows)("$moment", (row) => {
    const ofRow = runs.filter((run) => run.row === row);
    it.each(ofRow.map((run) => ({ run, name: `${run.fault}: ${shown(run.cell)}` })))("$name", ({ run }) => run.played);
  });
});

/** Cells mostly wait, so many of them are played at once, each as soon as there is room for it. */
const AT_ONCE = 16;

function playAll(): void {
  if (runs[0]!.played !== NOT_PLAYED) return;
  const lanes: Promise<unknown>[] = Array.from({ length: AT_ONCE }, () => Promise.resolve());
  runs.forEach((run, index) => {
    const lane = index % AT_ONCE;
    run.played = lanes[lane]!.then(() => play(run));
    lanes[lane] = run.played.catch(() => undefined);
  });
}

afterAll(endAll);

async function play(run: Run): Promise<void> {
  const started = await startFaultyGateway(run.row, run.fault);
  try {
    await playAt(started, run);
    // What the client closes, the gateway learns of a moment later.
    await eventually(() => expect(started.gateway.openSockets ?? 0).toBe(0));
  } finally {
    await started.gateway.stop();
  }
}

/** Longer than a spec may take. */
const NEVER_MS = 600_000;

async function playAt(faulty: FaultyGateway, { row, fault, cell }: Run): Promise<void> {
  const { gateway, host = gateway.host, misbehaved, beforeStatus } = faulty;
  // Where a limit has to pass it is short; any other cannot be what ended the call. A large status takes its time to be sent again.
  const short = row.place === "status under way" ? 3_000 : 600;
  const timeoutMs = cell.waitsFor.includes("timeoutMs") ? short : NEVER_MS;
  const connectTimeoutMs = cell.waitsFor.includes("connectTimeoutMs") ? 600 : NEVER_MS;
  const isAboutConnecting = row.place === "accepted" || row.place === "connect response";

  function expectOutcome(outcome: Result<unknown, InternalClientError>, elapsedMs: number): void {
    expect(
      outcome.match(
        () => "succeeds",
        ({ code }) => code,
      ),
    ).toBe(cell.outcome);
    expect(gateway.connections).toBe(cell.connections);
    // The most that it takes is bounded in virtual time: spec/protocol/timing.spec.ts. All cells share one process here.
    const limits = { timeoutMs, connectTimeoutMs };
    expect(elapsedMs).toBeGreaterThanOrEqual(cell.waitsFor.reduce((sum, limit) => sum + limits[limit], 0));
    if (outcome.isOk()) return;
    expect(outcome.error.message).toMatch(new RegExp(`^${cell.outcome}: `));
    expect(outcome.error.family).toBe("communication");
    if (fault === "unknown type" && isAboutConnecting) expect(outcome.error.message).toContain(" 99");
  }

  const config = { host, port: gateway.port, device: button, connectTimeoutMs };
  const [connected, connectMs] = await timed(() => connect(config));
  if (!isAboutStatus(row)) expectOutcome(connected, connectMs);
  if (cell.client === "none") return;

  const client = keep(connected._unsafeUnwrap());
  const given = collect(client);
  await beforeStatus?.();
  if (isAboutStatus(row)) {
    const status = row.place === "status under way" ? new Uint8Array(LARGE_STATUS_BYTES) : Uint8Array.of(1);
    const [answer, elapsedMs] = await timed(() => exchange(client, status, { timeoutMs }));
    expectOutcome(answer, elapsedMs);
    if (answer.isOk()) expect(hex(answer.value)).toBe(ANSWER_BYTE);
  }
  if (cell.outcome === "succeeds") await misbehaved;
  await sleep(20);
  await turn(); // timers come before reads: what came behind may lie unread so far
  const next = await exchange(client, Uint8Array.of(2), { timeoutMs: NEVER_MS });
  expect(next.match(hex, ({ code }) => code)).toBe(cell.client === "lives" ? NEXT_ANSWER_BYTE : "CONTEXT_INCORRECT");
  expect(gateway.connections).toBe(cell.connectionsWithNext);
  await destroy(client);

  const all = await given;
  // A command before the connect response is a push, and nothing else that is faulty is a command.
  const isFaultyPushed = fault === "wrong kind" && row.life !== "first connection" && isAboutConnecting;
  expect(all.includes(FAULTY_BYTE)).toBe(isFaultyPushed);
  // What comes right behind the first connect response comes before anyone can read commands.
  const isPushed = fault === "two in one chunk" && !(row.life === "first connection" && isAboutConnecting);
  if (isPushed) expect(all).toContain(PUSHED_BYTE);
}

/** Whether the moment lies in a status; else it lies in a first connect, or after it. */
function isAboutStatus(row: Row): boolean {
  return row.life === "reconnection" || ["status under way", "command", "behind the command"].includes(row.place);
}

async function collect(client: ClientHandle): Promise<string[]> {
  const given: string[] = [];
  for await (const command of commands(client)) given.push(hex(command));
  return given;
}
