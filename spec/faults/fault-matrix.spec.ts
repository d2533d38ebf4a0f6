import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { faultDocument, shown } from "./fault-document.js";
import { FAULTS, TABLE, type Expected, type Fault, type Row } from "./fault-table.js";
import { ANSWER_BYTE, FAULTY_BYTE, NEXT_ANSWER_BYTE, PUSHED_BYTE } from "./misbehaviour.js";
import { isAboutStatus, limitsOf, runCell, type Observed } from "./run-cell.js";

const GROUNDS = ["TCP", "a Unix socket"] as const;
type Ground = (typeof GROUNDS)[number];

interface Run {
  readonly over: Ground;
  readonly row: Row;
  readonly fault: Fault;
  readonly cell: Expected;
  observed: Promise<Observed>;
}

/** Cells mostly wait, so many of them run at once. */
const AT_ONCE = 16;
const NOT_RUN = Promise.reject<Observed>(new Error("the cell was not run"));
NOT_RUN.catch(() => undefined);

/** A representative part: a Unix socket has no host and no packets to lose, and takes long over a large status in small pieces. */
function isRunOver(over: Ground, { place, cut }: Row): boolean {
  if (over === "TCP") return true;
  return !["unresolvable", "swallowed", "status under way"].includes(place) && cut !== 1 && cut !== 2;
}

const runs: Run[] = GROUNDS.flatMap((over) =>
  TABLE.filter((row) => isRunOver(over, row)).flatMap((row) =>
    row.cells.flatMap((cell, index) =>
      "because" in cell ? [] : [{ over, row, fault: FAULTS[index] as Fault, cell, observed: NOT_RUN }],
    ),
  ),
);

const unixFolder = mkdtempSync(join(tmpdir(), "faults-"));
afterAll(() => rmSync(unixFolder, { recursive: true }));

/** Starts every cell as soon as there is room for it; each spec then awaits its own. */
function startAll(): void {
  const lanes: Promise<unknown>[] = Array.from({ length: AT_ONCE }, () => Promise.resolve());
  runs.forEach((run, index) => {
    const lane = index % AT_ONCE;
    run.observed = (lanes[lane] as Promise<unknown>).then(() =>
      runCell(run.row, run.fault, run.cell, run.over === "TCP" ? undefined : unixFolder),
    );
    lanes[lane] = run.observed.catch(() => undefined);
  });
}

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

const lives = GROUNDS.flatMap((over) => (["first", "reconnection"] as const).map((life) => ({ over, life })));

describe.each(lives)("a fault on the $life, over $over", ({ over, life }) => {
  beforeAll(() => {
    if (over === "TCP" && life === "first") startAll();
  });

  // A row in which nothing can be has nothing to run.
  const rows = TABLE.filter((row) => row.life === life && runs.some((run) => run.row === row && run.over === over));
  describe.each(rows)("$moment", (row) => {
    const ofRow = runs.filter((run) => run.row === row && run.over === over);
    it.each(ofRow.map((run) => ({ run, name: `${run.fault}: ${shown(run.cell)}` })))("$name", async ({ run }) => {
      await check(run);
    });
  });
});

async function check({ row, fault, cell, observed: running }: Run): Promise<void> {
  const observed = await running;
  const { outcome, connections, connectionsWithNext } = cell;
  expect(observed).toMatchObject({ outcome, connections, connectionsWithNext, socketsLeft: 0 });
  expect(observed.next).toBe({ lives: "succeeds", destroyed: "CONTEXT_INCORRECT", none: undefined }[cell.client]);
  expect(observed.nextCommand).toBe(cell.client === "lives" ? NEXT_ANSWER_BYTE : undefined);
  expect(observed.command).toBe(isAboutStatus(row) && outcome === "succeeds" ? ANSWER_BYTE : undefined);
  // A command before the connect response is a push, and nothing else that is faulty is a command.
  const isFaultyPushed = fault === "wrong kind" && row.life !== "first" && isAboutConnecting(row);
  expect(observed.commands.includes(FAULTY_BYTE)).toBe(isFaultyPushed);
  // What comes right behind the first connect response comes before anyone can read commands.
  const isPushed = fault === "two in one chunk" && !(row.life === "first" && isAboutConnecting(row));
  if (isPushed) expect(observed.commands).toContain(PUSHED_BYTE);
  if (outcome !== "succeeds") {
    expect(observed.error?.message).toMatch(new RegExp(`^${outcome}: `));
    expect(observed.error?.family).toBe("communication");
  }
  if (fault === "unknown type" && outcome !== "succeeds" && isAboutConnecting(row)) {
    expect(observed.error?.message).toContain(" 99");
  }
  const limits = limitsOf(row, cell);
  // The most that it takes is bounded in virtual time: spec/protocol/timing.spec.ts. All cells share one process here.
  const leastMs = cell.waitsFor.reduce((sum, limit) => sum + limits[limit], 0);
  expect(observed.elapsedMs).toBeGreaterThanOrEqual(leastMs);
}

function isAboutConnecting({ place }: Row): boolean {
  return place === "accepted" || place === "connect response";
}
