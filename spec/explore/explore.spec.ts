import { describe, expect, it } from "@jest/globals";
import { DeviceConnection } from "../../lib/protocol/device-connection.js";
import { loadConnection } from "../../scripts/explore/load.js";
import { explore } from "../../scripts/explore/search.js";
import { SEEDED_FAULTS } from "../../scripts/explore/seeded-faults.js";

const none = { statuses: 0, pushes: 0, drops: 0, aborts: 0, garbage: 0, freezes: 0, calls: 0 };

describe("every order in which things can happen to a connection", () => {
  it.each([
    ["one status, drops and pushes", { ...none, statuses: 1, pushes: 1, drops: 1, aborts: 1 }],
    ["one status and whatever a gateway may send", { ...none, statuses: 1, garbage: 1 }],
    ["two statuses that wait for each other", { ...none, statuses: 2, aborts: 1 }],
    ["a process that freezes", { ...none, statuses: 1, drops: 1, freezes: 1 }],
    ["calls of listeners in the middle of an effect", { ...none, statuses: 2, pushes: 1, calls: 1 }],
  ])(
    "keeps what the library promises: %s",
    (_what, bounds) => {
      const found = explore(DeviceConnection, bounds, { maxSeconds: Infinity });
      expect(found.violations).toEqual([]);
      expect(found.isComplete).toBe(true);
      expect(found.states).toBeGreaterThan(500);
    },
    600_000,
  );
});

describe("a mistake put into the protocol", () => {
  it("is shown by a shortest path to it", async () => {
    const fault = SEEDED_FAULTS.find(({ name }) => name === "half a frame of the former connection is read on");
    const { violations } = explore(
      await loadConnection(fault),
      { ...none, statuses: 1, drops: 2 },
      { maxSeconds: Infinity, stopsAtFirst: true },
    );
    expect(violations).toEqual([
      {
        what: "a sound connection was closed",
        trace: [
          "connect",
          "connection opens",
          "gateway accepts",
          "1 arrives",
          "send",
          "time passes to the deadline",
          "gateway answers",
          "a half arrives",
          "timer",
          "time passes to the deadline",
          "timer",
          "connection opens",
          "gateway accepts",
          "1 arrives",
        ],
      },
    ]);
  });

  it("has a place in the library", async () => {
    expect(SEEDED_FAULTS.length).toBeGreaterThanOrEqual(20);
    for (const fault of SEEDED_FAULTS) expect(await loadConnection(fault)).toBeInstanceOf(Function);
  });
});
