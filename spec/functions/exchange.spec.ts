import { getEventListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { commands, exchange, getCommand, sendStatus } from "../../lib/index.js";
import { hex, utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { endAll, openClient, openGateway } from "../support/opened.js";
import { AT_ONCE_MS, byNodeTimer, timed } from "../support/timed.js";

afterEach(endAll);

const one = Uint8Array.of(1);
const two = Uint8Array.of(2);
const three = Uint8Array.of(3);

/** Bytes that repeat only after 251, so that parts in a wrong order show. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index % 251);
}

describe("the command of an exchange", () => {
  it("is the one that answered the status", async () => {
    const gateway = await openGateway({ answer: (status) => Uint8Array.of(...status, 0xff) });
    const client = await openClient(gateway);
    expect(hex((await exchange(client, one))._unsafeUnwrap())).toBe("01ff");
    expect(hex((await exchange(client, two))._unsafeUnwrap())).toBe("02ff");
  });

  it("may be empty, and so may the status", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    expect((await exchange(client, new Uint8Array(0)))._unsafeUnwrap()).toEqual(new Uint8Array(0));
    expect(gateway.statuses()).toEqual([new Uint8Array(0)]);
  });

  it("is a push if a push comes first, and the answer is the next command", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "merge", with: utf8("pushed"), order: "before" });
    expect((await exchange(client, one))._unsafeUnwrap()).toEqual(utf8("pushed"));
    await eventually(() => expect(getCommand(client)._unsafeUnwrap()).toEqual(one));
    expect((await exchange(client, two))._unsafeUnwrap()).toEqual(two);
  });

  it.each([1, 127, 128, 1_024, 20_000, 300_000])("of %i bytes is whole", async (length) => {
    const client = await openClient(await openGateway());
    const command = (await exchange(client, pattern(length)))._unsafeUnwrap();
    expect(Buffer.from(command).equals(pattern(length))).toBe(true);
  });

  it("is whole when it drips in", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "drip", bytes: 7 });
    expect((await exchange(client, pattern(500)))._unsafeUnwrap()).toEqual(pattern(500));
  });
});

describe("the bytes that you get", () => {
  it.each([0, 1, 100, 5_000, 100_000])(
    "of a command of %i are a Uint8Array on an ArrayBuffer of their own, of just that length",
    async (length) => {
      const client = await openClient(await openGateway());
      const command = (await exchange(client, pattern(length)))._unsafeUnwrap();
      expect(Object.prototype.toString.call(command)).toBe("[object Uint8Array]");
      expect(Buffer.isBuffer(command)).toBe(false);
      expect(command.byteOffset).toBe(0);
      expect(command.buffer.byteLength).toBe(length);
    },
  );

  it("are one array, shared by exchange, getCommand and every reader of commands", async () => {
    const client = await openClient(await openGateway());
    const readers = [commands(client), commands(client)];
    const command = (await exchange(client, one))._unsafeUnwrap();
    expect(getCommand(client)._unsafeUnwrap()).toBe(command);
    for (const reader of readers) expect((await reader.next()).value?._unsafeUnwrap()).toBe(command);
  });

  it("are never touched again, whatever comes later", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const kept: Uint8Array[] = [];
    for (let round = 0; round < 50; round++) {
      kept.push((await exchange(client, new Uint8Array(40).fill(round)))._unsafeUnwrap());
    }
    gateway.misbehave("status", { do: "drip", bytes: 11 }, { times: 2 });
    kept.push((await exchange(client, new Uint8Array(40).fill(50)))._unsafeUnwrap());
    kept.push((await exchange(client, new Uint8Array(40).fill(51)))._unsafeUnwrap());
    gateway.kick();
    kept.push((await exchange(client, new Uint8Array(40).fill(52)))._unsafeUnwrap());
    expect(kept).toEqual(kept.map((_, round) => new Uint8Array(40).fill(round)));
  });
});

describe("the bytes that you pass", () => {
  it("are those at the call, for a status that is sent at once and for one that waits", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "delay", ms: 30 });
    const buffers = [Uint8Array.of(1, 1), Uint8Array.of(2, 2), Buffer.from([3, 3])];
    const outcomes = buffers.map((buffer) => exchange(client, buffer));
    for (const buffer of buffers) buffer.fill(9);
    const received = (await Promise.all(outcomes)).map((outcome) => hex(outcome._unsafeUnwrap()));
    expect(received).toEqual(["0101", "0202", "0303"]);
    expect(gateway.statuses().map(hex)).toEqual(["0101", "0202", "0303"]);
  });

  it("are those at the call, for a resend too", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "close" });
    const buffer = Uint8Array.of(4, 4);
    const outcome = exchange(client, buffer);
    buffer.fill(9);
    expect(hex((await outcome)._unsafeUnwrap())).toBe("0404");
    expect(gateway.statuses().map(hex)).toEqual(["0404", "0404"]);
  });

  it("are not changed by the library", async () => {
    const client = await openClient(await openGateway());
    const status = pattern(300);
    (await exchange(client, status))._unsafeUnwrap();
    expect(status).toEqual(pattern(300));
  });
});

describe("concurrent statuses on one handle", () => {
  it("go one after the other in call order, and each gets its own outcome", async () => {
    let inHand = 0;
    let most = 0;
    const gateway = await openGateway({
      answer: async (status) => {
        most = Math.max(most, ++inHand);
        await new Promise((resolve) => setTimeout(resolve, 2));
        inHand -= 1;
        return Uint8Array.of(...status, 0xff);
      },
    });
    const client = await openClient(gateway);
    const settled: number[] = [];
    const numbers = Array.from({ length: 20 }, (_, number) => number);
    await Promise.all(
      numbers.map(async (number) => {
        const command = await exchange(client, Uint8Array.of(number));
        expect(command._unsafeUnwrap()).toEqual(Uint8Array.of(number, 0xff));
        settled.push(number);
      }),
    );
    expect(settled).toEqual(numbers);
    expect(gateway.statuses()).toEqual(numbers.map((number) => Uint8Array.of(number)));
    expect(most).toBe(1);
    expect(gateway.connections).toBe(1);
  });

  it("are one queue for sendStatus and exchange", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const [first, second, third] = await Promise.all([
      exchange(client, one),
      sendStatus(client, two),
      exchange(client, three),
    ]);
    expect(first._unsafeUnwrap()).toEqual(one);
    expect(second._unsafeUnwrap()).toBe(client);
    expect(third._unsafeUnwrap()).toEqual(three);
    expect(gateway.statuses()).toEqual([one, two, three]);
  });

  it("each have an outcome of their own where one fails and the client lives", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "send", bytes: new Uint8Array(4) });
    const [first, second, third] = await Promise.all([one, two, three].map((status) => exchange(client, status)));
    expect(first!._unsafeUnwrapErr().code).toBe("COMMAND_INCORRECT");
    expect(second!._unsafeUnwrap()).toEqual(two);
    expect(third!._unsafeUnwrap()).toEqual(three);
  });

  it("wait for the one before them to be sent again", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "close" });
    const outcomes = await Promise.all([one, two].map((status) => exchange(client, status)));
    expect(outcomes.map((outcome) => outcome._unsafeUnwrap())).toEqual([one, two]);
    expect(gateway.statuses()).toEqual([one, one, two]);
  });

  it("fail together when the one before them destroys the client: it gets the error, they get CONTEXT_INCORRECT with that as cause", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    const [first, second, third] = await Promise.all([one, two, three].map((status) => exchange(client, status)));
    const reason = first!._unsafeUnwrapErr();
    expect(reason.code).toBe("UNABLE_TO_CONNECT");
    for (const outcome of [second!, third!, await exchange(client, one)]) {
      const error = outcome._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "CONTEXT_INCORRECT", returnCode: -11, family: "usage" });
      expect(error.cause).toBe(reason);
    }
    expect(gateway.statuses()).toEqual([one, one]);
  });

  it("may wait 64 at a time; one more is NOT_OK at once, and the others are served", async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const gateway = await openGateway({
      moduleTimeoutMs: 10_000,
      answer: async (status) => {
        await gate;
        return status;
      },
    });
    const client = await openClient(gateway);
    const outcomes = Array.from({ length: 65 }, (_, number) => exchange(client, Uint8Array.of(number)));
    const refused = (await exchange(client, Uint8Array.of(65)))._unsafeUnwrapErr();
    expect(refused).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "usage" });
    expect(refused.reason).toBe("queue-full");
    expect(refused.message).toMatch(/64/);
    release();
    const served = (await Promise.all(outcomes)).map((outcome) => outcome._unsafeUnwrap()[0]);
    expect(served).toEqual(Array.from({ length: 65 }, (_, number) => number));
    expect((await exchange(client, Uint8Array.of(66)))._unsafeUnwrap()).toEqual(Uint8Array.of(66));
    expect(gateway.statuses()).toHaveLength(66);
  });
});

describe("timeoutMs", () => {
  it("starts when the status is sent, not while it waits for its turn", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "delay", ms: 700 });
    const first = exchange(client, one);
    const second = exchange(client, two, { timeoutMs: 500 });
    expect((await first)._unsafeUnwrap()).toEqual(one);
    expect((await second)._unsafeUnwrap()).toEqual(two);
    expect(gateway.connections).toBe(1);
  });

  it("applies to an answer that drips in as to one that does not come", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "drip", everyMs: 20 }, { times: 2 });
    // Whole, each of the two answers would take half a second and more, and complete the status.
    const [outcome, elapsedMs] = await timed(() => exchange(client, one, { timeoutMs: 100 }));
    expect(outcome._unsafeUnwrapErr().code).toBe("TIMEOUT_OCCURRED");
    expect(elapsedMs).toBeGreaterThanOrEqual(200);
  });

  it("starts again for the resend", async () => {
    const gateway = await openGateway({ moduleTimeoutMs: 20 });
    const client = await openClient(gateway);
    gateway.misbehave("status", { do: "stay silent" });
    gateway.misbehave("status", { do: "delay", ms: 300 });
    const [outcome, elapsedMs] = await timed(() => exchange(client, one, { timeoutMs: 500 }));
    expect(outcome._unsafeUnwrap()).toEqual(one);
    expect(elapsedMs).toBeGreaterThanOrEqual(500 + byNodeTimer(300));
  });
});

describe("the signal of an exchange", () => {
  it("aborted before the call: NOT_OK with its reason as cause, and nothing is sent", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const reason = { why: "too late" };
    const error = (await exchange(client, one, { signal: AbortSignal.abort(reason) }))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "usage" });
    expect(error.cause).toBe(reason);
    (await exchange(client, two))._unsafeUnwrap();
    expect(gateway.statuses()).toEqual([two]);
    expect(gateway.connections).toBe(1);
  });

  it("aborted while it waits: it is taken out of the queue, is never sent, and the others are served", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const controller = new AbortController();
    gateway.misbehave("status", { do: "delay", ms: 60 });
    const first = exchange(client, one);
    const second = exchange(client, two, { signal: controller.signal });
    const third = exchange(client, three);
    controller.abort("changed my mind");
    expect((await second)._unsafeUnwrapErr()).toMatchObject({
      code: "NOT_OK",
      family: "usage",
      cause: "changed my mind",
    });
    expect((await first)._unsafeUnwrap()).toEqual(one);
    expect((await third)._unsafeUnwrap()).toEqual(three);
    expect(gateway.statuses()).toEqual([one, three]);
    expect(gateway.connections).toBe(1);
  });

  it("aborted in flight: NOT_OK at once, the connection is dropped, and the next status reconnects", async () => {
    const gateway = await openGateway({ moduleTimeoutMs: 60 });
    const client = await openClient(gateway);
    const controller = new AbortController();
    gateway.misbehave("status", { do: "stay silent" });
    const arrived = gateway.nextStatus();
    const aborted = exchange(client, one, { signal: controller.signal, timeoutMs: 2 * AT_ONCE_MS });
    await arrived;
    const [outcome, elapsedMs] = await timed(() => {
      controller.abort("enough");
      return aborted;
    });
    expect(outcome._unsafeUnwrapErr()).toMatchObject({ code: "NOT_OK", family: "usage", cause: "enough" });
    expect(elapsedMs).toBeLessThan(AT_ONCE_MS);
    await eventually(() => expect(gateway.openSockets).toBe(0));
    expect((await exchange(client, two))._unsafeUnwrap()).toEqual(two);
    expect(gateway.statuses()).toEqual([one, two]);
  });

  it("aborted in flight: its late answer completes no status", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const controller = new AbortController();
    const reader = commands(client);
    gateway.misbehave("status", { do: "delay", ms: 30 });
    const arrived = gateway.nextStatus();
    const aborted = exchange(client, one, { signal: controller.signal });
    await arrived;
    controller.abort();
    expect((await aborted)._unsafeUnwrapErr().code).toBe("NOT_OK");
    expect((await exchange(client, two))._unsafeUnwrap()).toEqual(two);
    expect((await reader.next()).value?._unsafeUnwrap()).toEqual(two);
  });

  it("aborted while reconnecting: NOT_OK, and the client lives", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const controller = new AbortController();
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave("connect", { do: "stay silent" });
    const first = gateway.nextStatus();
    const aborted = exchange(client, one, { signal: controller.signal });
    await first;
    await gateway.nextConnect();
    controller.abort("enough");
    expect((await aborted)._unsafeUnwrapErr()).toMatchObject({ code: "NOT_OK", cause: "enough" });
    expect((await exchange(client, two))._unsafeUnwrap()).toEqual(two);
    expect(gateway.statuses()).toEqual([one, two]);
  });

  it("aborted afterwards has no effect", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const controller = new AbortController();
    expect((await exchange(client, one, { signal: controller.signal }))._unsafeUnwrap()).toEqual(one);
    controller.abort();
    expect((await exchange(client, two))._unsafeUnwrap()).toEqual(two);
    expect(gateway.connections).toBe(1);
  });

  it("keeps no listener, however the calls end", async () => {
    const gateway = await openGateway();
    const client = await openClient(gateway);
    const { signal } = new AbortController();
    (await exchange(client, one, { signal }))._unsafeUnwrap();
    gateway.misbehave("status", { do: "send", bytes: new Uint8Array(4) });
    (await exchange(client, one, { signal }))._unsafeUnwrapErr();
    (await exchange(client, "no bytes" as never, { signal }))._unsafeUnwrapErr();
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    const failed = await Promise.all([exchange(client, one, { signal }), exchange(client, two, { signal })]);
    expect(failed.every((outcome) => outcome.isErr())).toBe(true);
    (await exchange(client, one, { signal }))._unsafeUnwrapErr();
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("may be shared by many calls: one abort ends them all", async () => {
    const gateway = await openGateway({ moduleTimeoutMs: 60 });
    const client = await openClient(gateway);
    const controller = new AbortController();
    gateway.misbehave("status", { do: "stay silent" });
    const arrived = gateway.nextStatus();
    const options = { signal: controller.signal };
    const outcomes = [one, two, three].map((status) => exchange(client, status, options));
    await arrived;
    controller.abort("all of them");
    for (const outcome of await Promise.all(outcomes)) {
      expect(outcome._unsafeUnwrapErr()).toMatchObject({ code: "NOT_OK", cause: "all of them" });
    }
    expect((await exchange(client, three))._unsafeUnwrap()).toEqual(three);
    expect(gateway.statuses()).toEqual([one, three]);
  });
});

describe("the longest time limit", () => {
  it("is accepted, and does not make a timer fire at once", async () => {
    const gateway = await openGateway({ answer: (status) => sleep(50, status) });
    const client = await openClient(gateway);
    expect((await exchange(client, one, { timeoutMs: 2 ** 31 - 1 }))._unsafeUnwrap()).toEqual(one);
    expect(gateway.statuses().length).toBe(1);
  });
});
