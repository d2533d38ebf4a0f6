import dns from "node:dns";
import { getEventListeners, getMaxListeners, setMaxListeners } from "node:events";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { connect, destroy, exchange, getCommand, sendStatus, type Config } from "../../lib/index.js";
import { commands } from "../../lib/throwing.js";
import { hex } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { startFrozenGateway } from "../support/frozen-gateway.js";
import { button, configFor, endAll, openClient, openGateway } from "../support/opened.js";
import { AT_ONCE_MS, timed } from "../support/timed.js";
import { CONNECTED } from "../testing/wire.js";
import { PHASES, type Phase, type Prepared } from "./phases.js";

const ONE = Uint8Array.of(1);
const TWO = Uint8Array.of(2);
const THREE = Uint8Array.of(3);

/** So that no limit ends what is to be cancelled. */
const LONG_MS = 2 * AT_ONCE_MS;

const phases = Object.keys(PHASES) as Phase[];

let prepared: Prepared | undefined;

async function prepare(phase: Phase): Promise<Prepared> {
  prepared = await PHASES[phase]();
  return prepared;
}

/** Ends the work, and expects that it settles at once. */
async function expectEnded<Outcome>(end: () => void, work: PromiseLike<Outcome>): Promise<void> {
  const [, elapsedMs] = await timed(() => {
    end();
    return work;
  });
  expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
}

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

afterEach(async () => {
  if (prepared !== undefined) {
    await destroy(prepared.client);
    await prepared.stop();
    prepared = undefined;
  }
  await endAll();
});

describe("a status aborted", () => {
  describe.each(phases)("%s", (phase) => {
    it("is NOT_OK at once, with the reason as its cause, and leaves no listener; the client lives", async () => {
      const { client, timeoutMs, reached, servesTheNext } = await prepare(phase);
      const controller = new AbortController();
      const { signal } = controller;
      const running = exchange(client, ONE, { timeoutMs, signal });
      await reached();
      expect(listeners(signal)).toBe(1);
      const reason = new Error("the door has closed");
      await expectEnded(() => controller.abort(reason), running);
      const error = (await running)._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
      expect(error.message).toMatch(/ The client lives\. /);
      expect(error.cause).toBe(reason);
      expect(listeners(signal)).toBe(0);
      expect(getCommand(client)._unsafeUnwrapErr().code).toBe("NO_COMMAND_AVAILABLE");
      if (!servesTheNext) return;
      expect(hex((await exchange(client, TWO))._unsafeUnwrap())).toBe("02");
      expect(hex((await exchange(client, THREE))._unsafeUnwrap())).toBe("03");
    });

    it("does not affect the statuses that wait behind it", async () => {
      const { client, timeoutMs, reached, servesTheNext } = await prepare(phase);
      const controller = new AbortController();
      const running = sendStatus(client, ONE, { timeoutMs, signal: controller.signal });
      const behind = [exchange(client, TWO), exchange(client, THREE)];
      await reached();
      controller.abort();
      expect((await running)._unsafeUnwrapErr().code).toBe("NOT_OK");
      if (!servesTheNext) return expect(String(client)).toContain("connecting");
      const answers = await Promise.all(behind);
      expect(answers.map((answer) => hex(answer._unsafeUnwrap()))).toEqual(["02", "03"]);
    });
  });

  it("before the call sends nothing and listens to nothing", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const signal = AbortSignal.abort("long ago");
    expect((await exchange(client, ONE, { signal }))._unsafeUnwrapErr()).toMatchObject({
      code: "NOT_OK",
      family: "usage",
      cause: "long ago",
    });
    expect(listeners(signal)).toBe(0);
    expect(hex((await exchange(client, TWO))._unsafeUnwrap())).toBe("02");
    expect(gateway.statuses().map(hex)).toEqual(["02"]);
    expect(gateway.connections).toBe(1);
  });

  it("right after the call, in the same turn, is NOT_OK, and its answer completes no status", async () => {
    const gateway = await openGateway({ moduleTimeoutMs: 30 });
    const client = await openClient(gateway);
    const controller = new AbortController();
    const running = exchange(client, ONE, { signal: controller.signal });
    controller.abort();
    expect((await running)._unsafeUnwrapErr().code).toBe("NOT_OK");
    expect(hex((await exchange(client, TWO))._unsafeUnwrap())).toBe("02");
  });

  it("while it waits is only removed from the queue, wherever it is there", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "delay", ms: 40 });
    const controllers = [1, 2, 3, 4, 5].map(() => new AbortController());
    const running = controllers.map(({ signal }, index) => exchange(client, Uint8Array.of(index + 1), { signal }));
    for (const index of [1, 4]) {
      controllers[index]!.abort();
      const error = (await running[index]!)._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
    }
    const codes = (await Promise.all(running)).map((outcome) => outcome.match(hex, ({ code }) => code));
    expect(codes).toEqual(["01", "NOT_OK", "03", "04", "NOT_OK"]);
    expect(gateway.statuses().map(hex)).toEqual(["01", "03", "04"]);
    expect(gateway.connections).toBe(1);
    expect(controllers.map(({ signal }) => listeners(signal))).toEqual([0, 0, 0, 0, 0]);
  });

  it("after it has settled changes nothing, and no listener is left", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const controller = new AbortController();
    const { signal } = controller;
    expect(hex((await exchange(client, ONE, { signal }))._unsafeUnwrap())).toBe("01");
    expect(listeners(signal)).toBe(0);
    controller.abort();
    expect(hex((await exchange(client, TWO))._unsafeUnwrap())).toBe("02");
    expect(gateway.connections).toBe(1);
  });

  it("leaves no listener on a signal that many statuses share, however they end", async () => {
    const gateway = await openGateway({ moduleTimeoutMs: 30 });
    const client = await openClient(gateway);
    const { signal } = new AbortController();
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave("status", { do: "send", bytes: new Uint8Array(4) });
    const codes = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      codes.add((await exchange(client, ONE, { signal })).match(hex, ({ code }) => code));
    }
    expect([...codes]).toEqual(["COMMAND_INCORRECT", "01"]);
    expect(listeners(signal)).toBe(0);
    const waiting = Array.from({ length: 10 }, () => exchange(client, ONE, { signal }));
    expect(listeners(signal)).toBe(10);
    await destroy(client);
    for (const outcome of waiting) expect((await outcome)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    expect(listeners(signal)).toBe(0);
  });

  it.each([
    ["lifts Node's warning of many listeners", undefined, Infinity],
    ["leaves the number that the signal's owner has set", 5, 5],
  ])("by a signal %s", async (_, own, after) => {
    const client = await openClient(await openGateway());
    const { signal } = new AbortController();
    if (own !== undefined) setMaxListeners(own, signal);
    (await exchange(client, ONE, { signal }))._unsafeUnwrap();
    expect(getMaxListeners(signal)).toBe(after);
  });

  it("by a signal whose owner has allowed any number of listeners is sent as any other", async () => {
    const client = await openClient(await openGateway());
    const { signal } = new AbortController();
    setMaxListeners(0, signal);
    expect(hex((await exchange(client, ONE, { signal }))._unsafeUnwrap())).toBe("01");
  });

  it("while a large one is being written to a gateway that does not read is NOT_OK at once", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "stop reading" });
    const client = await openClient(gateway);
    const controller = new AbortController();
    const options = { signal: controller.signal, timeoutMs: LONG_MS };
    const running = exchange(client, new Uint8Array(12 * 1024 * 1024), options);
    await new Promise((resolve) => setTimeout(resolve, 30));
    await expectEnded(() => controller.abort(), running);
    expect((await running)._unsafeUnwrapErr().code).toBe("NOT_OK");
    expect(String(client)).toContain(", disconnected");
  });

  it("takes the signal's own reason, that of a timeout too", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "stay silent" });
    const error = (await exchange(client, ONE, { signal: AbortSignal.timeout(30) }))._unsafeUnwrapErr();
    expect(error.code).toBe("NOT_OK");
    expect((error.cause as Error).name).toBe("TimeoutError");
  });
});

describe("a connect aborted", () => {
  async function expectAborted(config: Config, reached: () => Promise<unknown>): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    const running = connect({ ...config, connectTimeoutMs: LONG_MS, signal });
    await reached();
    expect(listeners(signal)).toBe(1);
    await expectEnded(() => controller.abort("no longer wanted"), running);
    expect((await running)._unsafeUnwrapErr()).toMatchObject({
      code: "NOT_OK",
      family: "usage",
      cause: "no longer wanted",
      message: expect.stringMatching(/\. Nothing is left open\. /),
    });
    expect(listeners(signal)).toBe(0);
  }

  it("while the host is being resolved is NOT_OK at once", async () => {
    const spy = jest.spyOn(dns, "lookup").mockImplementation(() => undefined);
    try {
      const config = { host: "gateway.invalid", port: 1636, device: button };
      await expectAborted(config, () => eventually(() => expect(spy).toHaveBeenCalled()));
    } finally {
      spy.mockRestore();
    }
  });

  it("while TCP is connecting is NOT_OK at once", async () => {
    const gateway = await startFrozenGateway(CONNECTED);
    try {
      await gateway.freeze();
      const { host, port } = gateway;
      await expectAborted({ host, port, device: button }, () => new Promise((resolve) => setTimeout(resolve, 30)));
    } finally {
      await gateway.stop();
    }
  });

  it("while it awaits the connect response is NOT_OK at once, and leaves nothing open", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "stay silent" });
    const arrives = gateway.nextConnect();
    await expectAborted(configFor(gateway), () => arrives);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it("before the call does no I/O", async () => {
    const gateway = await openGateway();
    const refused = await connect(configFor(gateway, { signal: AbortSignal.abort() }));
    expect(refused._unsafeUnwrapErr()).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect((refused._unsafeUnwrapErr().cause as Error).name).toBe("AbortError");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(gateway.connections).toBe(0);
  });

  it("afterwards has no effect on the client", async () => {
    const gateway = await openGateway();
    const controller = new AbortController();
    const client = await openClient(gateway, { signal: controller.signal });
    expect(listeners(controller.signal)).toBe(0);
    controller.abort();
    gateway.kick();
    expect(hex((await exchange(client, ONE))._unsafeUnwrap())).toBe("01");
  });
});

describe("a client destroyed", () => {
  it.each(phases)("with its status %s settles everything at once, and may be destroyed twice", async (phase) => {
    const { client, timeoutMs, reached, openSockets } = await prepare(phase);
    const { signal } = new AbortController();
    const reader = commands(client);
    const read = reader.next();
    const running = [ONE, TWO, THREE].map((status) => exchange(client, status, { timeoutMs, signal }));
    await reached();
    const [[gone, outcomes], elapsedMs] = await timed(() =>
      Promise.all([Promise.all([destroy(client), destroy(client)]), Promise.all(running)]),
    );
    expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
    const errors = outcomes.map((outcome) => outcome._unsafeUnwrapErr());
    // Its owner destroyed it, so there is no cause to tell.
    expect(errors.map(({ code, cause }) => [code, cause])).toEqual([
      ["CONTEXT_INCORRECT", undefined],
      ["CONTEXT_INCORRECT", undefined],
      ["CONTEXT_INCORRECT", undefined],
    ]);
    expect(gone.every((outcome) => outcome.isOk())).toBe(true);
    expect(await read).toEqual({ done: true, value: undefined });
    expect(listeners(signal)).toBe(0);
    expect((await exchange(client, ONE))._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    expect(getCommand(client)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    await eventually(() => expect(openSockets()).toBe(0));
    expect((await destroy(client)).isOk()).toBe(true);
  });

  it("while idle, while its connection is lost, and after its end settles at once", async () => {
    const gateway = await openGateway();
    const [idle, lost, failed] = [0, 1, 2].map((deviceType) => ({ ...button, deviceType }));
    const idleClient = await openClient(gateway, { device: idle! });
    const lostClient = await openClient(gateway, { device: lost! });
    const failedClient = await openClient(gateway, { device: failed! });
    gateway.misbehave("status", { do: "close" }, { times: 2, which: failed! });
    expect((await exchange(failedClient, ONE))._unsafeUnwrapErr().code).toBe("UNABLE_TO_CONNECT");
    gateway.kick(lost);
    await eventually(() => expect(String(lostClient)).toContain("disconnected"));
    const clients = [idleClient, lostClient, failedClient];
    const [, elapsedMs] = await timed(() => Promise.all(clients.map((client) => destroy(client))));
    expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it("by an abort listener of its own status settles that status once, as aborted", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "stay silent" });
    const controller = new AbortController();
    const running = exchange(client, ONE, { signal: controller.signal });
    controller.signal.addEventListener("abort", () => void destroy(client));
    controller.abort();
    expect((await running)._unsafeUnwrapErr().code).toBe("NOT_OK");
    expect((await exchange(client, TWO))._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
  });

  it("while a status is sent from the outcome of another settles that one too", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "stay silent" });
    const chained = exchange(client, ONE).orElse(() => exchange(client, TWO));
    await destroy(client);
    expect((await chained)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
  });
});
