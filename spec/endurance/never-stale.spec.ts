import { afterEach, describe, expect, it } from "@jest/globals";
import { Random } from "../../scripts/fuzz/random.js";
import { RestlessButton } from "./restless-button.js";
import { TaggingGateway } from "./tagging-gateway.js";

const DEVICES = 4;
const EXCHANGES_EACH = 1_500;

const gateways: TaggingGateway[] = [];

afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.stop()));
});

describe("thousands of exchanges, with pushes, drops, restarts and aborts at random moments", () => {
  it("give every command that arrives on a live connection once and in order, and never a stale one", async () => {
    const random = new Random(Number(process.env["ENDURANCE_SEED"] ?? 1));
    for (let i = 0; i < DEVICES; i++) gateways.push(await new TaggingGateway(random.fork()).start());
    const buttons = gateways.map((gateway) => new RestlessButton(gateway, random.fork(), EXCHANGES_EACH));

    await Promise.all(buttons.map((one) => one.live()));

    const sum = (count: (one: RestlessButton) => number): number => buttons.reduce((all, one) => all + count(one), 0);
    expect(buttons.flatMap((one) => one.problems)).toEqual([]);
    expect(sum((one) => one.exchanges)).toBeGreaterThanOrEqual(DEVICES * EXCHANGES_EACH);
    // The rest is to make sure that it was no walk in the park.
    expect(sum((one) => one.reconnections)).toBeGreaterThan(200);
    expect(sum((one) => one.quietPauses)).toBeGreaterThan(100);
    expect(sum((one) => one.arrivals)).toBeGreaterThan(sum((one) => one.outcomes.get("Ok") ?? 0));
    expect([...new Set(buttons.flatMap((one) => [...one.outcomes.keys()]))].sort()).toEqual(
      expect.arrayContaining(["NOT_OK", "Ok"]),
    );
  }, 60_000);
});
