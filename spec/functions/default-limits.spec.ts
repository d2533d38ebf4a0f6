import { afterEach, describe, expect, it } from "@jest/globals";
import type { ResultAsync } from "neverthrow";
import { connect, exchange } from "../../lib/index.js";
import { button, configFor, endAll, openClient, openGateway } from "../support/opened.js";

afterEach(endAll);

describe("unless told otherwise", () => {
  it("an attempt to connect may take 4,000 ms, and one of a status 10,000 ms", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("connect", { do: "stay silent" });
    gateway.misbehave("status", { do: "stay silent" });
    const [connecting, sending] = await Promise.all([
      timeOf(connect(configFor(gateway, { device: { ...button, deviceRole: "other" } }))),
      timeOf(exchange(client, Uint8Array.of(1))), // answered when it is sent again
    ]);
    expect(connecting).toBeGreaterThanOrEqual(4_000);
    expect(sending).toBeGreaterThanOrEqual(10_000);
    expect(connecting).toBeLessThan(sending);
  }, 60_000);
});

async function timeOf(call: ResultAsync<unknown, unknown>): Promise<number> {
  const begun = performance.now();
  await call.match(
    () => undefined,
    () => undefined,
  );
  return performance.now() - begun;
}
