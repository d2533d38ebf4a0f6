import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect, createServer, type ConnectionOptions, type TlsOptions, type TLSSocket } from "node:tls";
import { afterEach, describe, expect, it } from "@jest/globals";
import { duplexPair } from "../support/duplex-pair.js";
import { echo, listen, startEchoServer, stopServers, type EchoServer } from "./echo-server.js";
import { leftovers } from "./leftovers.js";
import { closeAll, Recorder } from "./recorder.js";

afterEach(async () => {
  await closeAll();
  await stopServers();
});

function pem(name: string): Buffer {
  return readFileSync(join(__dirname, "certificates", `${name}.pem`));
}

function certificateOf(name: string): { cert: Buffer; key: Buffer } {
  return { cert: pem(name), key: pem(`${name}-key`) };
}

const ca = pem("authority");
const client = certificateOf("client");
const verifying: TlsOptions = { ...certificateOf("server"), ca, requestCert: true, rejectUnauthorized: true };

function startTlsServer(options: TlsOptions = verifying): Promise<EchoServer> {
  return listen(createServer(options, echo), { host: "127.0.0.1", port: 0 });
}

/** A transport over TLS, and the sockets that it was given. */
function connectWith(port: number, options: ConnectionOptions = { ca, ...client }): [Recorder, TLSSocket[]] {
  const sockets: TLSSocket[] = [];
  const createConnection = (): TLSSocket => {
    const socket = connect({ host: "127.0.0.1", port, ...options });
    sockets.push(socket);
    return socket;
  };
  return [new Recorder({ createConnection }), sockets];
}

async function expectEcho({ transport, until }: Recorder): Promise<void> {
  transport.write(Uint8Array.of(7));
  await until("07");
}

describe("a transport over TLS", () => {
  it.each(["TLSv1.2", "TLSv1.3"] as const)("opens once both sides have authenticated by %s", async (maxVersion) => {
    const { port } = await startTlsServer();
    const before = leftovers(port);
    const [recorder, sockets] = connectWith(port, { ca, ...client, maxVersion });
    recorder.onOpened = () => expect(sockets.map(({ authorized }) => authorized)).toEqual([true]);
    await recorder.until("opened");
    await expectEcho(recorder);
    expect(recorder.story).toEqual(["opened", "07"]);
    await recorder.transport.close();
    expect(leftovers(port)).toEqual(before);
  });

  it("opens at once if the handshake is already over", async () => {
    const { port } = await startTlsServer();
    const socket = connect({ host: "127.0.0.1", port, ca, ...client });
    await once(socket, "secureConnect");
    const recorder = new Recorder({ createConnection: () => socket });
    await recorder.until("opened");
    await expectEcho(recorder);
  });

  it("opens at once if the handshake is already over with a server whose name the user does not check", async () => {
    const { port } = await startTlsServer({ ...certificateOf("stranger") });
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const recorder = new Recorder({ createConnection: () => socket });
    await recorder.until("opened");
    await expectEcho(recorder);
  });

  it("opens through the user's tunnel", async () => {
    const { server } = await startTlsServer();
    const [near, far] = duplexPair();
    server.emit("connection", far);
    const recorder = new Recorder({
      createConnection: () => connect({ socket: near, host: "127.0.0.1", ca, ...client }),
    });
    await recorder.until("opened");
    await expectEcho(recorder);
  });

  it("carries a large frame whole", async () => {
    const { port } = await startTlsServer();
    const [recorder] = connectWith(port);
    await recorder.until("opened");
    const frame = Buffer.alloc(1024 * 1024, "frame");
    recorder.transport.write(frame);
    while (recorder.story.join("").length < "opened".length + 2 * frame.length) await recorder.next();
    expect(recorder.story.slice(1).join("") === frame.toString("hex")).toBe(true);
  });

  it("closes when the server does", async () => {
    const server = await startTlsServer();
    const [recorder] = connectWith(server.port);
    await recorder.until("opened");
    await expectEcho(recorder);
    for (const socket of server.sockets) socket.end();
    await recorder.until("closed");
  });
});

describe("a transport over TLS that does not open", () => {
  it("because no authority has signed the server's certificate fails with that", async () => {
    const { port } = await startTlsServer({ ...certificateOf("stranger") });
    const before = leftovers(port);
    const [recorder] = connectWith(port);
    await recorder.until("failed");
    expect(recorder.story).toEqual(["failed"]);
    expect(recorder.cause).toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    await recorder.transport.close();
    expect(leftovers(port)).toEqual(before);
  });

  it("because the server is not the one that was asked for fails with that", async () => {
    const { port } = await startTlsServer();
    const [recorder] = connectWith(port, { ca, ...client, servername: "gateway.test" });
    await recorder.until("failed");
    expect(recorder.story).toEqual(["failed"]);
    expect(recorder.cause).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });

  it("because the device has no certificate fails with the server's alert", async () => {
    const { port } = await startTlsServer();
    const [recorder] = connectWith(port, { ca, maxVersion: "TLSv1.2" });
    await recorder.until("failed");
    expect(recorder.story).toEqual(["failed"]);
    expect((recorder.cause as NodeJS.ErrnoException).code).toMatch(/^(ERR_SSL_|ECONNRESET|EPIPE)/);
  });

  it("because the server speaks no TLS fails with that", async () => {
    const { port } = await startEchoServer();
    const [recorder] = connectWith(port);
    await recorder.until("failed");
    expect(recorder.story).toEqual(["failed"]);
    expect((recorder.cause as NodeJS.ErrnoException).code).toMatch(/^ERR_SSL_/);
  });

  it("and is closed while the handshake goes on leaves nothing", async () => {
    const server = await startEchoServer();
    server.server.removeAllListeners("connection").on("connection", (socket) => server.sockets.add(socket));
    const before = leftovers(server.port);
    const [recorder, sockets] = connectWith(server.port);
    await Promise.resolve();
    await once(sockets[0]!, "connect");
    expect(recorder.transport.obstacle?.message).toBe("the stream of createConnection has not opened");
    await recorder.transport.close();
    expect(leftovers(server.port)).toEqual(before);
    expect(recorder.story).toEqual([]);
  });
});

describe("a device that the server rejects only once it has the device's certificate", () => {
  // The device's side of the handshake may be over by then, so that the transport has opened.
  it.each<[string, ConnectionOptions]>([
    ["no certificate, by TLSv1.3", { ca, minVersion: "TLSv1.3" }],
    ["one that no authority has signed, by TLSv1.3", { ca, ...certificateOf("stranger"), minVersion: "TLSv1.3" }],
    ["one that no authority has signed, by TLSv1.2", { ca, ...certificateOf("stranger"), maxVersion: "TLSv1.2" }],
  ])("has its transport ended, and nothing has come: %s", async (_, options) => {
    const { port } = await startTlsServer();
    const [{ story, next }] = connectWith(port, options);
    while (!story.includes("closed") && !story.includes("failed")) await next();
    expect(story.filter((event) => event !== "opened")).toHaveLength(1);
  });
});
