import { describe, expect, it } from "@jest/globals";
import { Ledger, readTag, writeTag } from "../../scripts/soak/ledger.js";

/** The account that the endurance specs rely on must itself find what it is there for. */
describe("the account of a device's commands", () => {
  let latestConnection = 1;
  const command = (connection: number, sequence: number, answers?: number, device = "left"): Uint8Array =>
    writeTag({ device, connection, sequence, answers });

  function problemsOf(happen: (ledger: Ledger) => void): string[] {
    latestConnection = 1;
    const ledger = new Ledger("left", () => latestConnection);
    happen(ledger);
    ledger.close();
    return ledger.problems;
  }

  it("reads what it has written", () => {
    expect(readTag(command(3, 7, 12))).toEqual({ device: "left", connection: 3, sequence: 7, answers: 12 });
    expect(readTag(command(3, 7))).toEqual({ device: "left", connection: 3, sequence: 7, answers: undefined });
  });

  it("finds nothing wrong with answers in order, even if a push has taken an answer's place", () => {
    const problems = problemsOf((ledger) => {
      for (const one of [command(1, 1, 1), command(1, 2), command(1, 3, 2), command(1, 4, 3)]) ledger.arrived(one);
      ledger.completed(1, command(1, 1, 1));
      ledger.completed(2, command(1, 2));
      ledger.completed(3, command(1, 3, 2));
      latestConnection = 2;
      ledger.arrived(command(2, 1, 4));
      ledger.completed(4, command(2, 1, 4));
    });
    expect(problems).toEqual([]);
  });

  it("finds nothing wrong with a late answer to a status of the device's former client", () => {
    const ledger = new Ledger("left", () => 1, 22);
    ledger.arrived(command(1, 1, 21));
    ledger.completed(22, command(1, 1, 21));
    expect(ledger.problems).toEqual([]);
  });

  it("finds nothing wrong with the second answer to a status that was sent twice", () => {
    const problems = problemsOf((ledger) => {
      latestConnection = 2;
      for (const one of [command(2, 1, 1), command(2, 2, 1)]) ledger.arrived(one);
      ledger.completed(1, command(2, 1, 1));
      ledger.completed(2, command(2, 2, 1));
    });
    expect(problems).toEqual([]);
  });

  it.each<[string, (ledger: Ledger) => void]>([
    ["a lost command", (ledger) => [command(1, 1), command(1, 3)].forEach((one) => ledger.arrived(one))],
    ["a doubled command", (ledger) => [command(1, 1), command(1, 1)].forEach((one) => ledger.arrived(one))],
    [
      "a command of an older connection",
      (ledger) => {
        latestConnection = 2;
        ledger.arrived(command(1, 1));
      },
    ],
    [
      "a command of a dropped connection",
      (ledger) => {
        ledger.dropped(1);
        ledger.arrived(command(1, 1));
      },
    ],
    ["a command of another device", (ledger) => ledger.arrived(command(1, 1, undefined, "right"))],
    [
      "a new connection whose first command is missing",
      (ledger) => {
        ledger.arrived(command(1, 1));
        latestConnection = 2;
        ledger.arrived(command(2, 2));
      },
    ],
    [
      "an answer to an earlier status that nothing had displaced",
      (ledger) => {
        ledger.arrived(command(1, 1, 1));
        ledger.completed(2, command(1, 1, 1));
      },
    ],
    [
      "one command for two statuses",
      (ledger) => {
        ledger.arrived(command(1, 1));
        ledger.completed(1, command(1, 1));
        ledger.completed(2, command(1, 1));
      },
    ],
    ["an outcome that never arrived", (ledger) => ledger.completed(1, command(1, 1, 1))],
  ])("finds %s", (_, happen) => {
    expect(problemsOf(happen)).toHaveLength(1);
  });
});
