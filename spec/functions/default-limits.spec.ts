import { afterEach, describe, expect, it } from "@jest/globals";
import { connect, exchange } from "../../lib/index.js";
import { button, configFor, endAll, openClient, openGateway } from "../support/opened.js";
import { timed } from "../support/timed.js";

afterEach(endAll);

describe("by default", () => {
  it("an attempt to connect may take 4,000 ms, and one of a status 10,000 ms", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("connect", { do: "stay silent" });
    gateway.misbehave("status", { do: "stay silent" });
    const [[, connecting], [, sending]] = await Promise.all([
      timed(() => connect(configFor(gateway, { device: { ...button, deviceRole: "other" } }))),
      timed(() => exchange(client, Uint8Array.of(1))), // answered when it is sent again
    ]);
    expect(connecting).toBeGreaterThanOrEqual(4_000);
    expect(sending).toBeGreaterThanOrEqual(10_000);
    expect(connecting).toBeLessThan(sending);
  }, 60_000);
});
