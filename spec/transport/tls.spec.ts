import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect, createServer, type ConnectionOptions, type TlsOptions, type TLSSocket } from "node:tls";
import { afterEach, describe, expect, it } from "@jest/globals";
import { duplexPair } from "../support/duplex-pair.js";
import { echo, listen, startEchoServer, stopServers, type EchoServer } from "./echo-server.js";
import { leftovers } from "./leftovers.js";
import { closeAll, expectEcho, opened, Recorder } from "./recorder.js";

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
const NO_CERTIFICATE = { cert: undefined, key: undefined };
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

  it.each<[string, TlsOptions, ConnectionOptions]>([
    ["", verifying, { ca, ...client }],
    [" with a server whose name the user does not check", certificateOf("stranger"), { rejectUnauthorized: false }],
  ])("opens at once if the handshake is already over%s", async (_, server, options) => {
    const { port } = await startTlsServer(server);
    const socket = connect({ host: "127.0.0.1", port, ...options });
    await once(socket, "secureConnect");
    await expectEcho(await opened({ createConnection: () => socket }));
  });

  it("opens through the user's tunnel", async () => {
    const { server } = await startTlsServer();
    const [near, far] = duplexPair();
    server.emit("connection", far);
    const createConnection = () => connect({ socket: near, host: "127.0.0.1", ca, ...client });
    await expectEcho(await opened({ createConnection }));
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
  const byTls = () => startTlsServer();
  const byStranger = () => startTlsServer(certificateOf("stranger"));

  it.each<[string, () => Promise<EchoServer>, ConnectionOptions, RegExp]>([
    ["no authority has signed the server's certificate", byStranger, {}, /^DEPTH_ZERO_SELF_SIGNED_CERT$/],
    ["the server is not the one asked for", byTls, { servername: "gateway.test" }, /^ERR_TLS_CERT_ALTNAME_INVALID$/],
    [
      "the device has no certificate",
      byTls,
      { ...NO_CERTIFICATE, maxVersion: "TLSv1.2" },
      /^(ERR_SSL_|ECONNRESET|EPIPE)/,
    ],
    ["the server speaks no TLS", () => startEchoServer(), {}, /^ERR_SSL_/],
  ])("because %s fails with that, and leaves nothing", async (_, start, options, code) => {
    const { port } = await start();
    const before = leftovers(port);
    const [recorder] = connectWith(port, { ca, ...client, ...options });
    await recorder.until("failed");
    expect(recorder.story).toEqual(["failed"]);
    expect((recorder.cause as NodeJS.ErrnoException).code).toMatch(code);
    await recorder.transport.close();
    expect(leftovers(port)).toEqual(before);
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
