import { afterEach, describe, expect, it } from "@jest/globals";
import { connect, exchange, type Config } from "../../lib/index.js";
import { button, configFor, endAll, openClient, openGateway } from "../support/opened.js";
import { timed } from "../support/timed.js";

afterEach(endAll);

describe("by default", () => {
  it("an attempt to connect may take 4,000 ms, and one of a status 10,000 ms", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const ended: string[] = [];
    const connectAs = (deviceRole: string, changes: Partial<Config> = {}) =>
      connect(configFor(gateway, { ...changes, device: { ...button, deviceRole } })).mapErr(() =>
        ended.push(deviceRole),
      );
    gateway.misbehave("connect", { do: "stay silent" }, { times: 2 });
    gateway.misbehave("status", { do: "stay silent" });
    const [[, connecting], [, sending]] = await Promise.all([
      timed(() => connectAs("a connect")),
      timed(() => exchange(client, Uint8Array.of(1))), // answered when it is sent again
      connectAs("a connect of 80 ms", { connectTimeoutMs: 80 }),
    ]);
    expect(connecting).toBeGreaterThanOrEqual(4_000);
    expect(sending).toBeGreaterThanOrEqual(10_000);
    expect(connecting).toBeLessThan(sending);
    expect(ended).toEqual(["a connect of 80 ms", "a connect"]);
  });
});
