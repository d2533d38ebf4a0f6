import { afterEach, describe, expect, it } from "@jest/globals";
import { connect, destroy, exchange, type ClientHandle, type Config } from "../../lib/index.js";
import { commands } from "../../lib/throwing.js";
import { hex } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { button, endAll, keep, openClient, openGateway } from "../support/opened.js";
import { startScriptedGateway, type Peer, type ScriptedGateway } from "../support/scripted-gateway.js";
import { byNodeTimer, timed } from "../support/timed.js";
import { CONNECTED, refused } from "../testing/wire.js";

const ONE = Uint8Array.of(1);
/** What a machine that stands still may take on top; in virtual time, spec/protocol/timing.spec.ts does without. */
const SLACK_MS = 10_000;
const MIB = 1024 * 1024;

let scripted: ScriptedGateway | undefined;

afterEach(async () => {
  await endAll();
  await scripted?.stop();
  scripted = undefined;
});

async function clientOfScript(
  script: (peer: Peer) => Promise<void>,
  changes: Partial<Config> = {},
): Promise<ClientHandle> {
  scripted = await startScriptedGateway(script);
  const { host, port } = scripted;
  return keep((await connect({ host, port, device: button, ...changes }))._unsafeUnwrap());
}

describe("maxMessageBytes", () => {
  // The button's status or command of 40 bytes is a body of 64: 12 3e, 0a 12 and 18 bytes of device, 12 28 and the 40 bytes.
  const maxMessageBytes = 64;
  const largest = new Uint8Array(40).fill(0xaa);
  const tooLarge = new Uint8Array(41).fill(0xaa);

  it("accepts a message of exactly that many bytes, in both directions", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway, { maxMessageBytes });
    expect(hex((await exchange(client, largest))._unsafeUnwrap())).toBe("aa".repeat(40));
    expect(gateway.statuses().map(hex)).toEqual(["aa".repeat(40)]);
  });

  it("refuses a status of one byte more before it is sent: NOT_OK of family usage, and the client lives", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway, { maxMessageBytes });
    const error = (await exchange(client, tooLarge))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect(error.message).toContain("65");
    expect(error.message).toContain("64");
    expect(hex((await exchange(client, ONE))._unsafeUnwrap())).toBe("01");
    expect(gateway.statuses().map(hex)).toEqual(["01"]);
    expect(gateway.connections).toBe(1);
  });

  it("refuses a command of one byte more: COMMAND_INCORRECT, the connection is dropped, and the client lives", async () => {
    const gateway = await openGateway({ answer: (status) => (status.length === 0 ? tooLarge : status) });
    const client = await openClient(gateway, { maxMessageBytes });
    const error = (await exchange(client, new Uint8Array(0)))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "COMMAND_INCORRECT", family: "communication" });
    expect(error.message).toContain("65");
    expect(error.message).toContain(" The client lives and reconnects with the next status.");
    expect(hex((await exchange(client, ONE))._unsafeUnwrap())).toBe("01");
    expect(gateway.connections).toBe(2);
  });

  it("refuses a pushed command of one byte more: it never counts as a command, and the next status reconnects", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway, { maxMessageBytes });
    const reader = commands(client);
    gateway.push(tooLarge);
    await eventually(() => expect(gateway.openSockets).toBe(0));
    expect(hex((await exchange(client, ONE))._unsafeUnwrap())).toBe("01");
    expect(await reader.next()).toEqual({ done: false, value: ONE });
    expect(gateway.connections).toBe(2);
  });

  // Around 16 MiB stand 30 bytes: 12 and a length of 4, 20 bytes of device, 12 and a length of 4.
  it("is 16 MiB by default: accepts a message of exactly that many bytes, in both directions", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const status = new Uint8Array(16 * MIB - 30).fill(0x5a);
    const command = (await exchange(client, status, { timeoutMs: 20_000 }))._unsafeUnwrap();
    expect(Buffer.compare(command, status)).toBe(0);
  });

  it("is 16 MiB by default: refuses one byte more, in both directions", async () => {
    const status = new Uint8Array(16 * MIB - 29);
    const gateway = await openGateway({ answer: () => status });
    const client = await openClient(gateway);
    const sent = (await exchange(client, status))._unsafeUnwrapErr();
    expect(sent).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect(sent.message).toContain("16777217");
    expect(gateway.statuses()).toEqual([]);
    const received = (await exchange(client, ONE))._unsafeUnwrapErr();
    expect(received.code).toBe("COMMAND_INCORRECT");
    expect(received.message).toContain("16777217");
  });
});

describe("a length that is merely announced", () => {
  it.each([
    ["the largest that can be", "ffffffff"],
    ["256 MiB and some", "00000010"],
    // No command to this device makes a body of such a length, as a length in it would need a byte more or less.
    ["one that no command can have", "05000010"],
    ["another that no command can have", "1f000010"],
  ])("costs no memory: %s", async (_name, header) => {
    const client = await clientOfScript(
      async (peer) => {
        await peer.readFrame();
        await peer.send(CONNECTED);
        await peer.readFrame();
        before = process.memoryUsage().arrayBuffers;
        await peer.send(`${header}12`);
        after = process.memoryUsage().arrayBuffers;
        tellSent();
        await peer.readFrame();
      },
      { maxMessageBytes: 0xffff_ffff },
    );
    let before = 0;
    let after = 0;
    let tellSent = (): void => undefined;
    const sent = new Promise<void>((resolve) => (tellSent = resolve));
    const running = exchange(client, ONE);
    await sent;
    await destroy(client);
    expect((await running)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    expect(after - before).toBeLessThan(8 * MIB);
  });
});

describe("the queue of statuses", () => {
  it("takes 64 that wait; one more is NOT_OK of family usage at once, and there is room again when one leaves", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "delay", ms: 50 });
    const controller = new AbortController();
    const status = (index: number): Uint8Array => Uint8Array.of(index);
    const inHand = exchange(client, status(0));
    const waiting = Array.from({ length: 63 }, (_, index) => exchange(client, status(index + 1)));
    const leaving = exchange(client, status(64), { signal: controller.signal });
    const error = (await exchange(client, status(65)))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect(error.message).toContain("64");
    expect(gateway.statuses().length).toBeLessThanOrEqual(1);

    controller.abort();
    expect((await leaving)._unsafeUnwrapErr().code).toBe("NOT_OK");
    const last = exchange(client, status(66));
    const answers = await Promise.all([inHand, ...waiting, last]);
    const served = [0, ...Array.from({ length: 63 }, (_, index) => index + 1), 66];
    expect(answers.map((answer) => answer._unsafeUnwrap()[0])).toEqual(served);
    expect(gateway.statuses().map(([byte]) => byte)).toEqual(served);
  });
});

describe("a reader of commands", () => {
  async function readAfter(pushes: number): Promise<{ read: number; error: string | undefined }> {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const reader = commands(client);
    const watcher = commands(client, { highWaterMark: 5_000 });
    for (let push = 0; push < pushes; push += 1) gateway.push(ONE);
    for (let push = 0; push < pushes; push += 1) await watcher.next();
    await new Promise((resolve) => setImmediate(resolve)); // the reader's turn
    await destroy(client);
    let read = 0;
    try {
      for await (const command of reader) read += command.length;
      return { read, error: undefined };
    } catch (error) {
      return { read, error: (error as { code: string }).code };
    }
  }

  it("has room for 1,024 commands by default", async () => {
    expect(await readAfter(1_024)).toEqual({ read: 1_024, error: undefined });
  });

  it("yields the 1,024 if there is one more, and then NOT_OK", async () => {
    expect(await readAfter(1_025)).toEqual({ read: 1_024, error: "NOT_OK" });
  });
});

describe("the time that one call takes", () => {
  const timeoutMs = 200;

  async function timedCall(
    connectTimeoutMs: number,
    script: (peer: Peer, sinceDropMs: () => number) => Promise<void>,
  ): Promise<readonly [code: string, elapsedMs: number]> {
    let droppedAt = 0;
    const client = await clientOfScript(
      async (peer) => {
        await peer.readFrame();
        if (peer.number > 1) return script(peer, () => performance.now() - droppedAt);
        await peer.send(CONNECTED);
        await peer.readFrame();
        await peer.skip(1).catch(() => (droppedAt = performance.now()));
      },
      { connectTimeoutMs },
    );
    const [outcome, elapsedMs] = await timed(() => exchange(client, ONE, { timeoutMs }));
    return [outcome.match(hex, (error) => error.code), elapsedMs];
  }

  async function alreadyConnected(peer: Peer): Promise<void> {
    await peer.send(refused(1));
    peer.endOfStream();
  }

  it("is bounded when everything is slow: silence, ALREADY_CONNECTED, a slow connect response, and silence again", async () => {
    const connectTimeoutMs = 3_000;
    const [code, elapsedMs] = await timedCall(connectTimeoutMs, async (peer, sinceDropMs) => {
      if (sinceDropMs() < 150) return alreadyConnected(peer);
      await new Promise((resolve) => setTimeout(resolve, 150));
      await peer.send(CONNECTED);
      await peer.skip(Infinity);
    });
    expect(code).toBe("TIMEOUT_OCCURRED");
    expect(elapsedMs).toBeGreaterThanOrEqual(timeoutMs + 150 + byNodeTimer(150) + timeoutMs);
    expect(elapsedMs).toBeLessThan(2 * timeoutMs + connectTimeoutMs + 350 + SLACK_MS);
  });

  it("is bounded when the reconnection falls silent after ALREADY_CONNECTED", async () => {
    const connectTimeoutMs = 300;
    const [code, elapsedMs] = await timedCall(connectTimeoutMs, async (peer) => {
      if (peer.number === 2) return alreadyConnected(peer);
      await peer.skip(Infinity);
    });
    expect(code).toBe("UNABLE_TO_CONNECT");
    expect(elapsedMs).toBeGreaterThanOrEqual(timeoutMs + 5 + connectTimeoutMs);
    expect(elapsedMs).toBeLessThan(timeoutMs + connectTimeoutMs + 350 + SLACK_MS);
  });

  it("is bounded when each ALREADY_CONNECTED takes its time", async () => {
    const connectTimeoutMs = 300;
    const [code, elapsedMs] = await timedCall(connectTimeoutMs, async (peer) => {
      await new Promise((resolve) => setTimeout(resolve, 130));
      await alreadyConnected(peer);
    });
    expect(["DEVICE_ALREADY_CONNECTED", "UNABLE_TO_CONNECT"]).toContain(code);
    expect(elapsedMs).toBeLessThan(timeoutMs + connectTimeoutMs + 350 + SLACK_MS);
  });

  it("starts with its turn: a status that waits behind a slow one has its own limit", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "delay", ms: 300 });
    const slow = exchange(client, ONE);
    expect(hex((await exchange(client, Uint8Array.of(2), { timeoutMs: 200 }))._unsafeUnwrap())).toBe("02");
    expect(hex((await slow)._unsafeUnwrap())).toBe("01");
    expect(gateway.connections).toBe(1);
  });
});
