import { describe, expect, it } from "@jest/globals";
import { DeviceConnection } from "../../lib/protocol/device-connection.js";
import { explore } from "../../scripts/explore/search.js";

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
    300_000,
  );
});
