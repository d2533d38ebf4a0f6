import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { pipeline, type Duplex } from "node:stream";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { afterEach, describe, expect, it } from "@jest/globals";
import { commands, connect, destroy, exchange, type Config } from "../../lib/index.js";
import type { TestingGateway } from "../../lib/testing.js";
import { duplexPair } from "../support/duplex-pair.js";
import { eventually } from "../support/eventually.js";
import { configFor, endAll, keep, openGateway } from "../support/opened.js";
import { listen, stopServers } from "../transport/echo-server.js";

afterEach(async () => {
  await endAll();
  await stopServers();
});

const status = Uint8Array.of(1);
const SECOND = Uint8Array.of(2);

function pem(name: string): Buffer {
  return readFileSync(join(__dirname, "..", "transport", "certificates", `${name}.pem`));
}

/** The other end of a tunnel: whatever comes goes on to the gateway, and back. */
function forward(gateway: TestingGateway): (stream: Duplex) => void {
  return (stream) => {
    const onwards = connectTcp(gateway.port, gateway.host);
    pipeline(stream, onwards, stream, () => undefined);
  };
}

type CreateConnection = NonNullable<Config["createConnection"]>;

async function overTls(gateway: TestingGateway): Promise<CreateConnection> {
  const ca = pem("authority");
  const options = { cert: pem("server"), key: pem("server-key"), ca, requestCert: true, rejectUnauthorized: true };
  const { port } = await listen(createTlsServer(options, forward(gateway)), { host: "127.0.0.1", port: 0 });
  return () => connectTls({ host: "127.0.0.1", port, ca, cert: pem("client"), key: pem("client-key") });
}

async function overDuplex(gateway: TestingGateway): Promise<CreateConnection> {
  return () => {
    const [near, far] = duplexPair();
    near.on("close", () => far.destroy());
    forward(gateway)(far);
    return near;
  };
}

/** A device that connects so, and how often it has asked for a connection. */
async function tunnelled(gateway: TestingGateway, tunnel: (gateway: TestingGateway) => Promise<CreateConnection>) {
  const createConnection = await tunnel(gateway);
  const asked = { count: 0 };
  const config = configFor(gateway, {
    createConnection: () => {
      asked.count += 1;
      return createConnection();
    },
  });
  return { asked, config };
}

// Over a Unix socket: spec/faults/fault-matrix.spec.ts.
describe.each([
  ["TLS with a client's certificate", overTls],
  ["a Duplex of the user's", overDuplex],
])("a device over %s", (_, tunnel) => {
  it("sends statuses of all sizes, gets their commands and pushes, and leaves nothing open when it is destroyed", async () => {
    const gateway = await openGateway();
    const { asked, config } = await tunnelled(gateway, tunnel);
    const client = keep((await connect(config))._unsafeUnwrap());
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

  it("calls it again for each reconnection, for a status in flight and before one", async () => {
    const gateway = await openGateway();
    const { asked, config } = await tunnelled(gateway, tunnel);
    const client = keep((await connect(config))._unsafeUnwrap());
    gateway.misbehave("status", { do: "close" });
    expect((await exchange(client, status))._unsafeUnwrap()).toEqual(status);
    expect([asked.count, gateway.connections]).toEqual([2, 2]);
    gateway.kick();
    await eventually(() => expect(String(client)).toContain("disconnected"));
    expect((await exchange(client, SECOND))._unsafeUnwrap()).toEqual(SECOND);
    expect([asked.count, gateway.connections]).toEqual([3, 3]);
  });
});
