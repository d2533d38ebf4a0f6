import { afterEach, describe, expect, it } from "@jest/globals";
import { commands, connect, destroy, exchange, getCommand, sendStatus, type ClientHandle } from "../../lib/index.js";
import type { GatewayOptions, TestingGateway } from "../../lib/testing.js";
import { hex } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { button, configFor, endAll, openClient, openGateway } from "../support/opened.js";
import { startScriptedGateway, type ScriptedGateway } from "../support/scripted-gateway.js";
import { byNodeTimer, timed } from "../support/timed.js";
import { commandOf, CONNECTED } from "../testing/wire.js";

// What a real module gateway does that a client has to put up with: PROTOCOL.md, section 4.

const PUSHED = Uint8Array.of(7);

let scripted: ScriptedGateway | undefined;

afterEach(async () => {
  await endAll();
  await scripted?.stop();
  scripted = undefined;
});

async function open(options?: GatewayOptions): Promise<{ gateway: TestingGateway; client: ClientHandle }> {
  const gateway = await openGateway(options);
  return { gateway, client: await openClient(gateway) };
}

/** The command that completes a status of that one byte, as hex, or the error's code. */
async function answerTo(client: ClientHandle, status: number, timeoutMs?: number): Promise<string> {
  const outcome = await exchange(client, Uint8Array.of(status), timeoutMs === undefined ? {} : { timeoutMs });
  return outcome.match(hex, ({ code }) => code);
}

async function eventuallyGives(client: ClientHandle, command: string): Promise<void> {
  await eventually(() => expect(getCommand(client).map(hex)).toEqual(expect.objectContaining({ value: command })));
}

describe("refusals", () => {
  it.each([
    [2, "MODULE_NOT_SUPPORTED"],
    [3, "DEVICE_TYPE_NOT_SUPPORTED"],
  ] as const)(
    "of type %i stay open on the gateway's side: the client closes at once, and gives %s",
    async (type, code) => {
      const gateway = await openGateway();
      gateway.misbehave("connect", { do: "refuse", responseType: type });
      const refused = await connect(configFor(gateway));
      expect(refused._unsafeUnwrapErr().code).toBe(code);
      await eventually(() => expect(gateway.openSockets).toBe(0));
    },
  );

  it("of a module do not make the device's own retry fail with DEVICE_ALREADY_CONNECTED", async () => {
    const gateway = await openGateway({ modules: [7] });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const refused = await connect(configFor(gateway));
      expect(refused._unsafeUnwrapErr().code).toBe("MODULE_NOT_SUPPORTED");
      await eventually(() => expect(gateway.openSockets).toBe(0));
    }
  });

  it.each([
    [2, "MODULE_NOT_SUPPORTED"],
    [3, "DEVICE_TYPE_NOT_SUPPORTED"],
    [4, "HIGHER_PRIORITY_ALREADY_CONNECTED"],
  ] as const)("of type %i at a reconnection end the client with %s, which leaves nothing open", async (type, code) => {
    const { gateway, client } = await open();
    gateway.misbehave("connect", { do: "refuse", responseType: type });
    gateway.kick();
    expect(await answerTo(client, 1)).toBe(code);
    expect(await answerTo(client, 2)).toBe("CONTEXT_INCORRECT");
    expect(gateway.connections).toBe(2);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });
});

describe("answers in two writes", () => {
  it("are whole, even if the first read returns only the header", async () => {
    const { gateway, client } = await open();
    gateway.misbehave("status", { do: "delay", ms: 20, afterBytes: 4 });
    expect(await answerTo(client, 1)).toBe("01");
    expect(gateway.connections).toBe(1);
  });
});

describe("a status that the module finds invalid", () => {
  it("gets no answer and a close after 250 ms: the client reconnects and sends the same bytes again", async () => {
    let isValid = false;
    const { gateway, client } = await open({
      answer: (status) => {
        const command = isValid ? status : undefined;
        isValid = true;
        return command;
      },
    });
    const [answer, elapsedMs] = await timed(() => answerTo(client, 1));
    expect(answer).toBe("01");
    expect(elapsedMs).toBeGreaterThanOrEqual(byNodeTimer(250));
    expect(gateway.statuses().map(hex)).toEqual(["01", "01"]);
    expect(gateway.connections).toBe(2);
  });

  it("twice ends in UNABLE_TO_CONNECT, which says what the reason may be, after one reconnection and not more", async () => {
    const { gateway, client } = await open({ answer: () => undefined });
    const [outcome, elapsedMs] = await timed(() => sendStatus(client, Uint8Array.of(1)));
    const { code, message } = outcome._unsafeUnwrapErr();
    expect(code).toBe("UNABLE_TO_CONNECT");
    expect(message).toContain("Check that the module accepts this status: a module does not answer an invalid one.");
    expect(elapsedMs).toBeGreaterThanOrEqual(2 * byNodeTimer(250));
    expect(gateway.statuses().map(hex)).toEqual(["01", "01"]);
    expect(gateway.connections).toBe(2);
    expect(await answerTo(client, 2)).toBe("CONTEXT_INCORRECT");
  });
});

describe("ALREADY_CONNECTED", () => {
  it("for 5 ms after a reconnection is survived", async () => {
    const { gateway, client } = await open({ cleanUpMs: 5 });
    for (let round = 1; round <= 5; round += 1) {
      gateway.kick();
      expect(await answerTo(client, round)).toBe(`0${round}`);
    }
  });

  it("until the 250 ms of the unanswered status are over is survived", async () => {
    const gateway = await openGateway({ answer: (status) => (isMute ? undefined : status) });
    let isMute = true;
    const client = await openClient(gateway);
    const arrives = gateway.nextStatus();
    const running = timed(() => answerTo(client, 1));
    await arrives;
    isMute = false;
    gateway.kick();
    const [answer, elapsedMs] = await running;
    expect(answer).toBe("01");
    // How often it was asked meanwhile depends on the machine.
    expect(elapsedMs).toBeGreaterThanOrEqual(byNodeTimer(250));
    expect(gateway.statuses().map(hex)).toEqual(["01", "01"]);
  });

  it("makes the client ask again at most every 5 ms", async () => {
    const { gateway, client } = await open({ cleanUpMs: 200 });
    gateway.kick();
    const [answer, elapsedMs] = await timed(() => answerTo(client, 1));
    expect(answer).toBe("01");
    // The first connection, the one that succeeds, and in between one for each 5 ms at most.
    expect(gateway.connections).toBeLessThanOrEqual(2 + elapsedMs / 5);
  });

  it("for longer than 350 ms ends in DEVICE_ALREADY_CONNECTED, and the client is destroyed", async () => {
    // Asked for longer, the gateway would let it in.
    const { gateway, client } = await open({ cleanUpMs: 20_000 });
    gateway.kick();
    const [answer, elapsedMs] = await timed(() => answerTo(client, 1));
    expect(answer).toBe("DEVICE_ALREADY_CONNECTED");
    expect(elapsedMs).toBeGreaterThanOrEqual(350 - 5);
    expect(await answerTo(client, 2)).toBe("CONTEXT_INCORRECT");
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it("is reported at once by a first connect", async () => {
    const gateway = await openGateway();
    await openClient(gateway);
    const second = await connect(configFor(gateway));
    expect(second._unsafeUnwrapErr().code).toBe("DEVICE_ALREADY_CONNECTED");
    expect(second._unsafeUnwrapErr().family).toBe("connect");
    expect(gateway.connections).toBe(2);
  });
});

describe("after a kick", () => {
  it("a reconnection that gets no response and then the end of stream: UNABLE_TO_CONNECT", async () => {
    const { gateway, client } = await open();
    gateway.misbehave("connect", { do: "close", delayMs: 250 });
    gateway.kick();
    const [answer, elapsedMs] = await timed(() => answerTo(client, 1));
    expect(answer).toBe("UNABLE_TO_CONNECT");
    expect(elapsedMs).toBeGreaterThanOrEqual(byNodeTimer(250));
    expect(gateway.connections).toBe(2);
    expect(await answerTo(client, 2)).toBe("CONTEXT_INCORRECT");
  });

  it("OK and then the end of stream on the first status: that reconnection does not count as the status's own", async () => {
    const { gateway, client } = await open();
    gateway.misbehave("status", { do: "close", delayMs: 250 });
    gateway.kick();
    await eventually(() => expect(String(client)).toContain("disconnected"));
    expect(await answerTo(client, 1)).toBe("01");
    expect(gateway.connections).toBe(3);
    expect(gateway.statuses().map(hex)).toEqual(["01", "01"]);
  });

  it("the next status reconnects by itself, and each later one may reconnect once", async () => {
    const { gateway, client } = await open();
    for (let round = 1; round <= 4; round += 1) {
      gateway.kick({}, { reset: round % 2 === 0 });
      expect(await answerTo(client, round)).toBe(`0${round}`);
      expect(gateway.connections).toBe(1 + round);
    }
  });
});

describe("the reconnection", () => {
  it("waits at least 2 ms after the drop", async () => {
    let endedAt = 0;
    const pauses: number[] = [];
    scripted = await startScriptedGateway(async (peer) => {
      if (peer.number > 1) pauses.push(performance.now() - endedAt);
      await peer.readFrame();
      await peer.send(CONNECTED);
      if (peer.number > 1) await peer.send(await peer.readFrame());
      await peer.readFrame();
      endedAt = performance.now();
      peer.endOfStream();
    });
    const { host, port } = scripted;
    const client = (await connect({ host, port, device: button }))._unsafeUnwrap();
    for (let round = 1; round <= 20; round += 1) expect(await answerTo(client, 1)).toBe("01");
    await destroy(client);
    expect(pauses).toHaveLength(20);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(2);
  });

  it.each([
    ["closed, then reset", { do: "close" }, { do: "reset" }, "UNABLE_TO_CONNECT"],
    ["timed out, then closed", { do: "stay silent" }, { do: "close" }, "UNABLE_TO_CONNECT"],
    ["closed, then timed out", { do: "close" }, { do: "stay silent" }, "TIMEOUT_OCCURRED"],
  ] as const)("comes once for a status: %s", async (_name, first, second, code) => {
    const { gateway, client } = await open();
    gateway.misbehave("status", first);
    gateway.misbehave("status", second);
    expect(await answerTo(client, 1, 120)).toBe(code);
    // A gateway that still waits for its module refuses at first; what counts is how often the status went out.
    expect(gateway.statuses().map(hex)).toEqual(["01", "01"]);
  });

  it("may meet a push right behind the connect response: that came before the resend, so it does not complete it", async () => {
    const { gateway, client } = await open();
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave("connect", { do: "merge", with: PUSHED });
    expect(await answerTo(client, 1)).toBe("01");
    expect(await answerTo(client, 2)).toBe("02");
    expect(gateway.statuses().map(hex)).toEqual(["01", "01", "02"]);
  });
});

describe("a device of a higher priority", () => {
  it("takes over; the other's next status ends in HIGHER_PRIORITY_ALREADY_CONNECTED", async () => {
    const gateway = await openGateway();
    const loser = await openClient(gateway, { device: { ...button, priority: 1 } });
    const winner = await openClient(gateway, { device: { ...button, priority: 0 } });
    const outcome = await exchange(loser, Uint8Array.of(1));
    expect(outcome._unsafeUnwrapErr().code).toBe("HIGHER_PRIORITY_ALREADY_CONNECTED");
    expect(outcome._unsafeUnwrapErr().family).toBe("connect");
    expect(await answerTo(loser, 2)).toBe("CONTEXT_INCORRECT");
    expect(await answerTo(winner, 3)).toBe("03");
    expect(gateway.devices.map(({ priority }) => priority)).toEqual([0]);
  });

  it("takes over while a status of the other is in flight: the same", async () => {
    const gateway = await openGateway();
    const loser = await openClient(gateway, { device: { ...button, priority: 1 } });
    gateway.misbehave("status", { do: "stay silent" });
    const arrives = gateway.nextStatus();
    const running = answerTo(loser, 1);
    await arrives;
    await openClient(gateway, { device: { ...button, priority: 0 } });
    expect(await running).toBe("HIGHER_PRIORITY_ALREADY_CONNECTED");
  });

  it("keeps one of a lower priority from connecting, which may connect once it has disconnected", async () => {
    const gateway = await openGateway();
    const winner = await openClient(gateway, { device: { ...button, priority: 0 } });
    const config = configFor(gateway, { device: { ...button, priority: 1 } });
    expect((await connect(config))._unsafeUnwrapErr().code).toBe("HIGHER_PRIORITY_ALREADY_CONNECTED");
    await destroy(winner);
    await eventually(() => expect(gateway.openSockets).toBe(0));
    expect(await answerTo(await openClient(gateway, { device: config.device }), 1)).toBe("01");
  });
});

describe("a pushed command", () => {
  it("while idle is the latest command and completes no status", async () => {
    const { gateway, client } = await open();
    expect(await answerTo(client, 1)).toBe("01");
    gateway.push(PUSHED);
    await eventuallyGives(client, "07");
    expect(await answerTo(client, 2)).toBe("02");
  });

  it("before the first status is the latest command and completes no status", async () => {
    const { gateway, client } = await open();
    gateway.push(PUSHED);
    await eventuallyGives(client, "07");
    expect(await answerTo(client, 1)).toBe("01");
  });

  it("right after the connect response, in one segment, is delivered and completes no status", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "merge", with: [Uint8Array.of(6), PUSHED] });
    const client = await openClient(gateway);
    await eventuallyGives(client, "07");
    expect(await answerTo(client, 1)).toBe("01");
  });

  it("ahead of the answer completes the status, and after a pause nothing lags behind", async () => {
    const { gateway, client } = await open();
    gateway.misbehave("status", { do: "push first", command: PUSHED });
    expect(await answerTo(client, 1)).toBe("07");
    await eventuallyGives(client, "01");
    expect(await answerTo(client, 2)).toBe("02");
  });

  it("right behind the answer leaves the answer to its status", async () => {
    const { gateway, client } = await open();
    gateway.misbehave("status", { do: "merge", with: PUSHED, order: "after" });
    expect(await answerTo(client, 1)).toBe("01");
    await eventuallyGives(client, "07");
    expect(await answerTo(client, 2)).toBe("02");
  });

  it.each([
    ["before", "07"],
    ["after", "01"],
  ] as const)(
    "%s the answer in one segment never completes the next status, which waits already",
    async (order, first) => {
      const { gateway, client } = await open();
      gateway.misbehave("status", { do: "merge", with: [PUSHED], order });
      const answers = await Promise.all([answerTo(client, 1), answerTo(client, 2), answerTo(client, 3)]);
      expect(answers).toEqual([first, "02", "03"]);
    },
  );

  it("as the only answer completes the status", async () => {
    const { gateway, client } = await open();
    gateway.misbehave("status", { do: "push instead", command: PUSHED });
    expect(await answerTo(client, 1)).toBe("07");
    expect(await answerTo(client, 2)).toBe("02");
    expect(gateway.connections).toBe(1);
  });

  it("under another name of the device is still for the device", async () => {
    const { gateway, client } = await open();
    gateway.push(PUSHED, {}, { deviceName: "renamed" });
    await eventuallyGives(client, "07");
    gateway.misbehave("status", { do: "push instead", command: Uint8Array.of(8), deviceName: "" });
    expect(await answerTo(client, 1)).toBe("08");
    expect(gateway.connections).toBe(1);
  });

  it("many times over delays no answer for ever: after a pause each status gets its own", async () => {
    const { gateway, client } = await open();
    const read = commands(client);
    for (let round = 1; round <= 9; round += 1) {
      for (let push = 0; push < round; push += 1) gateway.push(PUSHED);
      for (let push = 0; push < round; push += 1) expect((await read.next()).value?._unsafeUnwrap()).toEqual(PUSHED);
      expect(await answerTo(client, round)).toBe(`0${round}`);
      expect((await read.next()).value?.map(hex)._unsafeUnwrap()).toBe(`0${round}`);
    }
  });
});

describe("an empty command", () => {
  it("completes a status and is the latest command", async () => {
    const { client } = await open({ answer: () => new Uint8Array(0) });
    expect(await answerTo(client, 1)).toBe("");
    expect(getCommand(client).map(hex)._unsafeUnwrap()).toBe("");
  });

  it("may be pushed", async () => {
    const { gateway, client } = await open();
    gateway.push(new Uint8Array(0));
    await eventuallyGives(client, "");
  });

  it("may have its field left out or written", async () => {
    const device = commandOf(0).slice(12, -6);
    const frames = [`1600000012140a12${device.slice(4)}`, `1800000012160a12${device.slice(4)}1200`];
    scripted = await startScriptedGateway(async (peer) => {
      await peer.readFrame();
      await peer.send(CONNECTED);
      for (const frame of frames) {
        await peer.readFrame();
        await peer.send(frame);
      }
      await peer.readFrame();
    });
    const { host, port } = scripted;
    const client = (await connect({ host, port, device: button }))._unsafeUnwrap();
    expect(await answerTo(client, 1)).toBe("");
    expect(await answerTo(client, 2)).toBe("");
    await destroy(client);
  });
});

describe("what the gateway is strict about", () => {
  it("a header in pieces, or one across its reads of 1024 bytes, never comes from a client: its statuses go one at a time", async () => {
    const { gateway, client } = await open();
    const sizes = Array.from({ length: 40 }, (_, index) => index * 53);
    const answers = await Promise.all(sizes.map((size) => exchange(client, new Uint8Array(size).fill(1))));
    expect(answers.map((answer) => answer._unsafeUnwrap().length)).toEqual(sizes);
    expect(gateway.connections).toBe(1);
  });

  it("a silent device is disconnected, pushes or not: its next status reconnects", async () => {
    const { gateway, client } = await open({ silenceMs: 60 });
    expect(await answerTo(client, 1)).toBe("01");
    gateway.push(PUSHED);
    await eventually(() => expect(gateway.openSockets).toBe(0));
    expect(await answerTo(client, 2)).toBe("02");
    expect(gateway.connections).toBe(2);
  });

  it("a restart of the gateway costs an idle client one reconnection, once the gateway is back", async () => {
    const { gateway, client } = await open();
    await gateway.restart({ downMs: 20 });
    expect(await answerTo(client, 1)).toBe("01");
    expect(gateway.connections).toBe(2);
  });
});
