import { afterEach, expect, it } from "@jest/globals";
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

let gateway: testing.TestingGateway | undefined;

afterEach(() => gateway?.stop());

// A test environment such as jest's jsdom has a realm of its own, and takes away what Node adds to its globals.
it("in a realm that has the language's own globals and those of events, a device gets its command", async () => {
  const realm = loadInRealm(EVERYTHING, { AbortController, AbortSignal, EventTarget }) as Realm;
  const { AutonomyState, missionProtobuf } = realm.mission;
  const echo = { module: 1000, answer: (status: Uint8Array) => status };
  gateway = await realm.testing.startGateway({ modules: [missionProtobuf, echo] });
  const address = { host: gateway.host, port: gateway.port };

  const { connect, destroy, exchange } = realm.library;
  const button = { module: 1000, deviceType: 0, deviceRole: "knoflík", deviceName: "dveře" };
  const client = (await connect({ ...address, device: button }))._unsafeUnwrap();
  expect(Array.from((await exchange(client, Uint8Array.of(1)))._unsafeUnwrap())).toEqual([1]);
  await destroy(client);

  // And in protobuf.
  const received = gateway.nextStatus();
  const autonomy = { module: missionProtobuf, deviceType: 1, deviceRole: "autonomy", deviceName: "vůz" };
  const status = {
    state: AutonomyState.DRIVE,
    telemetry: undefined,
    nextStop: { name: "nádraží", position: undefined },
  };
  const command = await realm.throwing.withClient({ ...address, device: autonomy }, (device) =>
    realm.throwing.exchange(device, status),
  );
  expect(command).toMatchObject({ stops: [], route: "" });
  expect(Buffer.from((await received).status).toString()).toContain("nádraží");
});
