import { describe, expect, it } from "@jest/globals";
import { Ledger, readTag, writeTag } from "../../scripts/soak/ledger.js";

type Step = (ledger: Ledger) => void;

let latestConnection = 1;

function command(connection: number, sequence: number, answers?: number, device = "left"): Uint8Array {
  return writeTag({ device, connection, sequence, answers });
}

function arrives(...of: Parameters<typeof command>): Step {
  return (ledger) => ledger.arrived(command(...of));
}

function completes(status: number, ...of: Parameters<typeof command>): Step {
  return (ledger) => ledger.completed(status, command(...of));
}

function reconnects(): void {
  latestConnection = 2;
}

/** The account that the endurance specs rely on must itself find what it is there for. */
describe("the account of a device's commands", () => {
  function problemsOf(steps: readonly Step[]): string[] {
    latestConnection = 1;
    const ledger = new Ledger("left", () => latestConnection);
    for (const step of steps) step(ledger);
    ledger.close();
    return ledger.problems;
  }

  it("reads what it has written", () => {
    expect(readTag(command(3, 7, 12))).toEqual({ device: "left", connection: 3, sequence: 7, answers: 12 });
    expect(readTag(command(3, 7))).toEqual({ device: "left", connection: 3, sequence: 7, answers: undefined });
  });

  const inOrder = [arrives(1, 1, 1), arrives(1, 2), arrives(1, 3, 2), arrives(1, 4, 3)];
  const displaced = [completes(1, 1, 1, 1), completes(2, 1, 2), completes(3, 1, 3, 2)];
  const later = [reconnects, arrives(2, 1, 4), completes(4, 2, 1, 4)];
  const twice = [reconnects, arrives(2, 1, 1), arrives(2, 2, 1), completes(1, 2, 1, 1), completes(2, 2, 2, 1)];

  it.each([
    ["answers in order, even if a push has taken an answer's place", [...inOrder, ...displaced, ...later]],
    ["the second answer to a status that was sent twice", twice],
  ])("finds nothing wrong with %s", (_, steps) => {
    expect(problemsOf(steps)).toEqual([]);
  });

  it("finds nothing wrong with a late answer to a status of the device's former client", () => {
    const ledger = new Ledger("left", () => 1, 22);
    ledger.arrived(command(1, 1, 21));
    ledger.completed(22, command(1, 1, 21));
    expect(ledger.problems).toEqual([]);
  });

  it.each<[string, Step[]]>([
    ["a lost command", [arrives(1, 1), arrives(1, 3)]],
    ["a doubled command", [arrives(1, 1), arrives(1, 1)]],
    ["a command of an older connection", [reconnects, arrives(1, 1)]],
    ["a command of a dropped connection", [(ledger) => ledger.dropped(1), arrives(1, 1)]],
    ["a command of another device", [arrives(1, 1, undefined, "right")]],
    ["a new connection whose first command is missing", [arrives(1, 1), reconnects, arrives(2, 2)]],
    ["an answer to an earlier status that nothing had displaced", [arrives(1, 1, 1), completes(2, 1, 1, 1)]],
    ["one command for two statuses", [arrives(1, 1), completes(1, 1, 1), completes(2, 1, 1)]],
    ["an outcome that never arrived", [completes(1, 1, 1, 1)]],
  ])("finds %s", (_, steps) => {
    expect(problemsOf(steps)).toHaveLength(1);
  });
});
