import { getEventListeners, getMaxListeners, setMaxListeners } from "node:events";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { connect, destroy, exchange, getCommand, type ClientHandle } from "../../lib/index.js";
import type { StatusFault, TestingGateway } from "../../lib/testing.js";
import { commands } from "../../lib/throwing.js";
import { hex } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { startFrozenGateway, type FrozenGateway } from "../support/frozen-gateway.js";
import { button, configFor, endAll, keep, openButton, openClient, openGateway } from "../support/opened.js";
import { AT_ONCE_MS, timed } from "../support/timed.js";
import { CONNECTED } from "../testing/wire.js";

const ONE = Uint8Array.of(1);
const TWO = Uint8Array.of(2);
const THREE = Uint8Array.of(3);

/** So that no limit ends what is to be cancelled. */
const LONG_MS = 2 * AT_ONCE_MS;

let frozen: FrozenGateway | undefined;

afterEach(async () => {
  await endAll();
  await frozen?.stop();
  frozen = undefined;
});

/** A client whose next status comes to rest somewhere. */
interface Prepared {
  readonly client: ClientHandle;
  /** Serves whatever comes after the status that rests; undefined where it is frozen. */
  readonly gateway: TestingGateway | undefined;
  readonly timeoutMs: number;
  /** Settles when the status has come to rest. To be called once the status was sent. */
  readonly reached: () => Promise<unknown>;
}

// Where in its life a status can be when it is cancelled. It rests there for seconds unless something ends it, so a spec that
// cancels there cannot come too late.
const PHASES: Record<string, () => Promise<Prepared>> = {
  "in flight": () => withStatus({ do: "stay silent" }),
  "in flight, its answer about to come": () => withStatus({ do: "delay", ms: 15 }),
  "in flight, half of its answer there": () => withStatus({ do: "stay silent", afterBytes: 11 }, () => sleep(20)),
  "in flight for the second time": async () => {
    const { client, gateway } = await openButton({ moduleTimeoutMs: 30 });
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave("status", { do: "stay silent" });
    const arrives = gateway.nextStatus().then(() => gateway.nextStatus());
    return { client, gateway, timeoutMs: LONG_MS, reached: () => arrives };
  },
  // It recurs for as long as the gateway answers ALREADY_CONNECTED, so one of them is met.
  "in the pause before a reconnection": () => withoutConnection((client) => untilItSays(client, ", reconnecting)")),
  "asking again for a place that is still taken": () =>
    withoutConnection(async (client) => {
      await untilItSays(client, ", reconnecting)");
      await untilItSays(client, ", connecting)");
    }),
  "while the reconnection is being opened": async () => {
    frozen = await startFrozenGateway(CONNECTED);
    const { host, port } = frozen;
    const client = keep((await connect({ host, port, device: button, connectTimeoutMs: LONG_MS }))._unsafeUnwrap());
    await frozen.freeze();
    const reached = () => untilItSays(client, ", connecting)").then(() => sleep(30));
    return { client, gateway: undefined, timeoutMs: 50, reached };
  },
  "while the reconnection awaits its connect response": async () => {
    const { client, gateway } = await openButton({ moduleTimeoutMs: 30 }, { connectTimeoutMs: LONG_MS });
    gateway.kick();
    gateway.misbehave("connect", { do: "stay silent" });
    const arrives = gateway.nextConnect();
    return { client, gateway, timeoutMs: LONG_MS, reached: () => arrives };
  },
};

async function withStatus(fault: StatusFault, rest: () => Promise<unknown> = () => turn()): Promise<Prepared> {
  const { client, gateway } = await openButton({ moduleTimeoutMs: 30 });
  gateway.misbehave("status", fault);
  const arrives = gateway.nextStatus();
  return { client, gateway, timeoutMs: LONG_MS, reached: () => arrives.then(rest) };
}

async function withoutConnection(reached: (client: ClientHandle) => Promise<void>): Promise<Prepared> {
  const { client, gateway } = await openButton({ cleanUpMs: 200 });
  gateway.kick();
  await untilItSays(client, "disconnected");
  return { client, gateway, timeoutMs: LONG_MS, reached: () => reached(client) };
}

/** The handle says in words what the client is doing. */
async function untilItSays(client: ClientHandle, words: string): Promise<void> {
  const giveUpAt = performance.now() + AT_ONCE_MS;
  while (!String(client).includes(words)) {
    if (performance.now() > giveUpAt) throw new Error(`it never said "${words}", but ${String(client)}`);
    await turn();
  }
}

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

describe.each(Object.entries(PHASES))("a status %s", (_, prepare) => {
  it("that is aborted is NOT_OK at once, with the reason as its cause; the client can still be used, and those behind it are served", async () => {
    const { client, gateway, timeoutMs, reached } = await prepare();
    const { signal, abort } = abortable();
    const reader = commands(client);
    const running = exchange(client, ONE, { timeoutMs, signal });
    const behind = [TWO, THREE].map((status) => exchange(client, status));
    await reached();
    expect(listeners(signal)).toBe(1);
    const reason = new Error("the door has closed");
    const [outcome, elapsedMs] = await timed(() => {
      abort(reason);
      return running;
    });
    expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
    const error = outcome._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", family: "usage" });
    expect(error.message).toMatch(/ The client can still be used\. /);
    expect(error.cause).toBe(reason);
    expect(listeners(signal)).toBe(0);
    expect(getCommand(client)._unsafeUnwrapErr().code).toBe("NO_COMMAND_AVAILABLE");
    if (gateway === undefined) return expect(String(client)).toContain("connecting");
    const answers = await Promise.all(behind);
    expect(answers.map((answer) => hex(answer._unsafeUnwrap()))).toEqual(["02", "03"]);
    // What answers the aborted one is never a command.
    expect([(await reader.next()).value, (await reader.next()).value]).toEqual([TWO, THREE]);
  });

  it("ends at once with CONTEXT_INCORRECT when its client is destroyed, as those behind it do", async () => {
    const { client, gateway, timeoutMs, reached } = await prepare();
    const { signal } = abortable();
    const read = commands(client).next();
    const running = [ONE, TWO, THREE].map((status) => exchange(client, status, { timeoutMs, signal }));
    await reached();
    const [[outcomes, ...gone], elapsedMs] = await timed(() =>
      Promise.all([Promise.all(running), destroy(client), destroy(client)]),
    );
    expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
    // Its owner destroyed it, so there is no cause to tell.
    const errors = outcomes.map((outcome) => outcome._unsafeUnwrapErr());
    expect(errors.map(({ code, cause }) => [code, cause])).toEqual(Array(3).fill(["CONTEXT_INCORRECT", undefined]));
    expect(gone.every((outcome) => outcome.isOk())).toBe(true);
    expect(await read).toEqual({ done: true, value: undefined });
    expect(listeners(signal)).toBe(0);
    if (gateway !== undefined) await eventually(() => expect(gateway.openSockets).toBe(0));
  });
});

function abortable(): { readonly signal: AbortSignal; readonly abort: (reason?: unknown) => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason) => controller.abort(reason) };
}

describe("a status aborted", () => {
  it("before the call is NOT_OK with the signal's reason; nothing is sent, and nothing listens", async () => {
    const { client, gateway } = await openButton();
    const signal = AbortSignal.abort("long ago");
    const error = (await exchange(client, ONE, { signal }))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", reason: "aborted", family: "usage", cause: "long ago" });
    expect(listeners(signal)).toBe(0);
    expect(hex((await exchange(client, TWO))._unsafeUnwrap())).toBe("02");
    expect(gateway.statuses().map(hex)).toEqual(["02"]);
  });

  it("while it waits is only removed from the queue, wherever it is there", async () => {
    const { client, gateway } = await openButton();
    gateway.misbehave("status", { do: "delay", ms: 40 });
    const signals = [1, 2, 3, 4, 5].map(() => abortable());
    const running = signals.map(({ signal }, index) => exchange(client, Uint8Array.of(index + 1), { signal }));
    for (const index of [1, 4]) {
      signals[index]!.abort();
      expect((await running[index]!)._unsafeUnwrapErr().reason).toBe("aborted");
    }
    const outcomes = (await Promise.all(running)).map((outcome) => outcome.match(hex, ({ code }) => code));
    expect(outcomes).toEqual(["01", "NOT_OK", "03", "04", "NOT_OK"]);
    expect(gateway.statuses().map(hex)).toEqual(["01", "03", "04"]);
    expect(gateway.connections).toBe(1);
    expect(signals.map(({ signal }) => listeners(signal))).toEqual([0, 0, 0, 0, 0]);
  });

  it("after it has settled changes nothing", async () => {
    const { client, gateway } = await openButton();
    const { signal, abort } = abortable();
    expect(hex((await exchange(client, ONE, { signal }))._unsafeUnwrap())).toBe("01");
    abort();
    expect(hex((await exchange(client, TWO))._unsafeUnwrap())).toBe("02");
    expect(gateway.connections).toBe(1);
  });

  it("by a timeout has that as its cause", async () => {
    const { client, gateway } = await openButton();
    gateway.misbehave("status", { do: "stay silent" });
    const error = (await exchange(client, ONE, { signal: AbortSignal.timeout(30) }))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", cause: { name: "TimeoutError" } });
  });

  it("right after the call, in the same turn, is NOT_OK, and its answer completes no status", async () => {
    const { client } = await openButton({ moduleTimeoutMs: 30 });
    const { signal, abort } = abortable();
    const running = exchange(client, ONE, { signal });
    abort();
    expect((await running)._unsafeUnwrapErr().code).toBe("NOT_OK");
    expect(hex((await exchange(client, TWO))._unsafeUnwrap())).toBe("02");
  });

  it("while a large one is being written to a gateway that does not read is NOT_OK at once", async () => {
    const { client, gateway } = await openButton();
    gateway.misbehave("connect", { do: "stop reading" });
    gateway.kick();
    const { signal, abort } = abortable();
    const running = exchange(client, new Uint8Array(12 * 1024 * 1024), { signal, timeoutMs: LONG_MS });
    await untilItSays(client, ", awaiting a command)");
    await sleep(30);
    const [outcome, elapsedMs] = await timed(() => {
      abort();
      return running;
    });
    expect(outcome._unsafeUnwrapErr().code).toBe("NOT_OK");
    expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
    expect(String(client)).toContain(", disconnected");
  });

  it("by a signal whose listener destroys the client settles once, as aborted", async () => {
    const { client, gateway } = await openButton();
    gateway.misbehave("status", { do: "stay silent" });
    const { signal, abort } = abortable();
    const running = exchange(client, ONE, { signal });
    signal.addEventListener("abort", () => void destroy(client));
    abort();
    expect((await running)._unsafeUnwrapErr().code).toBe("NOT_OK");
    expect((await exchange(client, TWO))._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
  });
});

describe("a signal", () => {
  it("that many statuses share ends them all, and has no listener left, however they end", async () => {
    const { client, gateway } = await openButton({ moduleTimeoutMs: 30 });
    const { signal, abort } = abortable();
    gateway.misbehave("status", { do: "send", bytes: new Uint8Array(4) });
    const outcomes = [await exchange(client, ONE, { signal }), await exchange(client, ONE, { signal })];
    expect(outcomes.map((outcome) => outcome.match(hex, ({ code }) => code))).toEqual(["COMMAND_INCORRECT", "01"]);
    expect(listeners(signal)).toBe(0);
    const waiting = Array.from({ length: 10 }, () => exchange(client, ONE, { signal }));
    expect(listeners(signal)).toBe(10);
    abort();
    for (const outcome of await Promise.all(waiting)) expect(outcome._unsafeUnwrapErr().reason).toBe("aborted");
    expect(listeners(signal)).toBe(0);
  });

  it.each([
    ["has Node's warning of many listeners lifted", undefined, Infinity],
    ["keeps the number of listeners that its owner has set", 5, 5],
  ])("%s", async (_, own, after) => {
    const { client } = await openButton();
    const { signal } = abortable();
    if (own !== undefined) setMaxListeners(own, signal);
    (await exchange(client, ONE, { signal }))._unsafeUnwrap();
    expect(getMaxListeners(signal)).toBe(after);
  });

  it("whose owner has allowed any number of listeners harms nothing", async () => {
    const { client } = await openButton();
    const { signal } = abortable();
    setMaxListeners(0, signal);
    expect(hex((await exchange(client, ONE, { signal }))._unsafeUnwrap())).toBe("01");
  });
});

describe("a connect aborted", () => {
  it("before the call does no I/O", async () => {
    const gateway = await openGateway();
    const error = (await connect(configFor(gateway, { signal: AbortSignal.abort("too late") })))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", reason: "aborted", family: "usage", cause: "too late" });
    expect(error.message).toMatch(/\. Nothing is left open\. /);
    await sleep(20);
    expect(gateway.connections).toBe(0);
  });

  it("while it awaits the connect response is NOT_OK at once, and leaves nothing open", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "stay silent" });
    const { signal, abort } = abortable();
    const connecting = connect(configFor(gateway, { signal, connectTimeoutMs: LONG_MS }));
    await gateway.nextConnect();
    const [outcome, elapsedMs] = await timed(() => {
      abort();
      return connecting;
    });
    expect(outcome._unsafeUnwrapErr().reason).toBe("aborted");
    expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
    expect(listeners(signal)).toBe(0);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it("afterwards has no effect on the client, not even on its reconnections", async () => {
    const { signal, abort } = abortable();
    const { client, gateway } = await openButton(undefined, { signal });
    expect(listeners(signal)).toBe(0);
    abort();
    gateway.kick();
    expect(hex((await exchange(client, ONE))._unsafeUnwrap())).toBe("01");
  });
});

describe("a client that is destroyed", () => {
  it("while its connection is lost, or after a failed status has destroyed it, is gone at once", async () => {
    const { client: lost, gateway } = await openButton();
    gateway.kick();
    await untilItSays(lost, "disconnected");
    const failed = await openClient(gateway, { device: { ...button, deviceType: 1 } });
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    expect((await exchange(failed, ONE))._unsafeUnwrapErr().code).toBe("UNABLE_TO_CONNECT");
    const [, elapsedMs] = await timed(() => Promise.all([destroy(lost), destroy(failed)]));
    expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it("while a status is sent from the outcome of another settles that one too", async () => {
    const { client, gateway } = await openButton();
    gateway.misbehave("status", { do: "stay silent" });
    const chained = exchange(client, ONE).orElse(() => exchange(client, TWO));
    await destroy(client);
    expect((await chained)._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
  });
});
