import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { pipeline, type Duplex } from "node:stream";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { afterEach, describe, expect, it } from "@jest/globals";
import { commands, connect, destroy, exchange } from "../../lib/index.js";
import { duplexPair } from "../support/duplex-pair.js";
import { eventually } from "../support/eventually.js";
import { configFor, endAll, keep, openClient, openGateway } from "../support/opened.js";
import { listen, stopServers } from "../transport/echo-server.js";

afterEach(async () => {
  await endAll();
  await stopServers();
});

const status = Uint8Array.of(1);
const SECOND = Uint8Array.of(2);

/** A button that reaches its gateway through a stream of the user's, and how often it has asked for one. */
async function openTunnelled() {
  const gateway = await openGateway();
  const asked = { count: 0 };
  const createConnection = (): Duplex => {
    asked.count += 1;
    const [near, far] = duplexPair();
    near.on("close", () => far.destroy());
    const onwards = connectTcp(gateway.port, gateway.host);
    pipeline(far, onwards, far, () => undefined);
    return near;
  };
  const client = keep((await connect(configFor(gateway, { createConnection })))._unsafeUnwrap());
  return { gateway, client, asked };
}

// Over TLS: spec/transport/tls.spec.ts.
describe("a device over a Duplex of the user's", () => {
  it("sends statuses of all sizes, gets their commands and pushes, and leaves nothing open when it is destroyed", async () => {
    const { gateway, client, asked } = await openTunnelled();
    const reader = commands(client);
    for (const size of [0, 1, 70_000, 2_000_000]) {
      const large = Buffer.alloc(size, "status");
      expect(large.equals((await exchange(client, large))._unsafeUnwrap())).toBe(true);
      expect((await reader.next()).value?._unsafeUnwrap()).toHaveLength(size);
    }
    gateway.push(SECOND);
    expect((await reader.next()).value?._unsafeUnwrap()).toEqual(SECOND);
    expect(asked.count).toBe(1);
    await destroy(client);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it("asks for another one at each reconnection, for a status in flight and before one", async () => {
    const { gateway, client, asked } = await openTunnelled();
    gateway.misbehave("status", { do: "close" });
    expect((await exchange(client, status))._unsafeUnwrap()).toEqual(status);
    expect([asked.count, gateway.connections]).toEqual([2, 2]);
    gateway.kick();
    await eventually(() => expect(String(client)).toContain("disconnected"));
    expect((await exchange(client, SECOND))._unsafeUnwrap()).toEqual(SECOND);
    expect([asked.count, gateway.connections]).toEqual([3, 3]);
  });
});

it("a device over TLS reaches a gateway behind a proxy, reconnects through it, and leaves nothing open", async () => {
  const gateway = await openGateway();
  const pem = (name: string) => readFileSync(join(__dirname, "..", "transport", "certificates", `${name}.pem`));
  const proxy = createTlsServer({ cert: pem("server"), key: pem("server-key") }, (stream) => {
    pipeline(stream, connectTcp(gateway.port, gateway.host), stream, () => undefined);
  });
  const { port } = await listen(proxy, { host: "127.0.0.1", port: 0 });
  const client = await openClient(gateway, {
    createConnection: () => connectTls({ host: "127.0.0.1", port, ca: pem("authority") }),
  });
  gateway.misbehave("status", { do: "close" });
  expect((await exchange(client, status))._unsafeUnwrap()).toEqual(status);
  expect(gateway.connections).toBe(2);
  await destroy(client);
  await eventually(() => expect(gateway.openSockets).toBe(0));
});
