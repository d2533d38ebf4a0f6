import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type * as library from "../../lib/index.js";
import type * as mission from "../../lib/modules/mission-protobuf.js";
import type * as throwing from "../../lib/throwing.js";
import type * as testing from "../../lib/testing.js";
import { loadInRealm } from "../support/realm.js";

interface Realm {
  readonly library: typeof library;
  readonly throwing: typeof throwing;
  readonly testing: typeof testing;
  readonly mission: typeof mission;
}

const EVERYTHING = `
  export * as library from "./lib/index.js";
  export * as throwing from "./lib/throwing.js";
  export * as testing from "./lib/testing.js";
  export * as mission from "./lib/modules/mission-protobuf.js";
`;

// A test environment such as jest's jsdom has a realm of its own, and takes away what Node adds to its globals.
describe("in a realm that has the language's own globals and those of events", () => {
  let realm: Realm;
  let gateway: testing.TestingGateway | undefined;

  beforeAll(async () => {
    realm = loadInRealm(EVERYTHING, { AbortController, AbortSignal, EventTarget }) as Realm;
    gateway = await realm.testing.startGateway({
      modules: [realm.mission.missionProtobuf, { module: 1000, answer: (status) => status }],
    });
  });

  afterAll(() => gateway?.stop());

  function address(): { host: string; port: number } {
    return { host: gateway!.host, port: gateway!.port };
  }

  it("a device gets its command", async () => {
    const { connect, destroy, exchange } = realm.library;
    const device = { module: 1000, deviceType: 0, deviceRole: "knoflík", deviceName: "dveře" };
    const client = (await connect({ ...address(), device }))._unsafeUnwrap();
    expect(Array.from((await exchange(client, Uint8Array.of(1)))._unsafeUnwrap())).toEqual([1]);
    await destroy(client);
  });

  it("a status and a command of a module in protobuf are written and read", async () => {
    const { AutonomyState, missionProtobuf } = realm.mission;
    const device = { module: missionProtobuf, deviceType: 1, deviceRole: "autonomy", deviceName: "vůz" };
    const nextStop = { name: "nádraží", position: undefined };
    const received = gateway!.nextStatus();
    const { exchange, withClient } = realm.throwing;
    const command = await withClient({ ...address(), device }, (client) =>
      exchange(client, { state: AutonomyState.DRIVE, telemetry: undefined, nextStop }),
    );
    expect(command).toMatchObject({ stops: [], route: "" });
    expect(Buffer.from((await received).status).toString()).toContain("nádraží");
  });
});
