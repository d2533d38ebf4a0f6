import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { commands, exchange, getCommand, sendStatus } from "../../lib/index.js";
import { hex, utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { endAll, openButton } from "../support/opened.js";
import { timed } from "../support/timed.js";
import { BUTTON, CONNECT, payloadOf, statusOf } from "../testing/wire.js";

afterEach(endAll);

const one = Uint8Array.of(1);
const two = Uint8Array.of(2);
const three = Uint8Array.of(3);

/** Bytes that repeat only after 251, so that parts in a wrong order show. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index % 251);
}

describe("the command of an exchange", () => {
  it.each([0, 1, 127, 128, 1_024, 20_000, 300_000])(
    "of %i bytes is whole: a Uint8Array on an ArrayBuffer of its own, of just that length",
    async (length) => {
      const { client } = await openButton();
      const status = pattern(length);
      const command = (await exchange(client, status))._unsafeUnwrap();
      expect(Buffer.from(command).equals(pattern(length))).toBe(true);
      expect(Object.prototype.toString.call(command)).toBe("[object Uint8Array]");
      expect(Buffer.isBuffer(command)).toBe(false);
      expect([command.byteOffset, command.buffer.byteLength]).toEqual([0, length]);
      expect(status).toEqual(pattern(length));
    },
  );

  it("is a push if a push comes first, and the answer is the next command", async () => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "merge", with: utf8("pushed"), order: "before" });
    expect((await exchange(client, one))._unsafeUnwrap()).toEqual(utf8("pushed"));
    await eventually(() => expect(getCommand(client)._unsafeUnwrap()).toEqual(one));
    expect((await exchange(client, two))._unsafeUnwrap()).toEqual(two);
  });

  it("is one array, shared by exchange, getCommand and every reader of commands", async () => {
    const { client } = await openButton();
    const readers = [commands(client), commands(client)];
    const command = (await exchange(client, one))._unsafeUnwrap();
    expect(getCommand(client)._unsafeUnwrap()).toBe(command);
    for (const reader of readers) expect((await reader.next()).value?._unsafeUnwrap()).toBe(command);
  });

  it("is never touched again, whatever comes later", async () => {
    const { gateway, client } = await openButton();
    const kept: Uint8Array[] = [];
    for (let round = 0; round < 53; round++) {
      if (round === 50) gateway.misbehave("status", { do: "drip", bytes: 11 }, { times: 2 });
      if (round === 52) gateway.kick();
      kept.push((await exchange(client, new Uint8Array(40).fill(round)))._unsafeUnwrap());
    }
    expect(kept).toEqual(kept.map((_, round) => new Uint8Array(40).fill(round)));
  });
});

describe("the bytes that you pass", () => {
  it("go out in one write with their header, as a gateway closes on a header in parts", async () => {
    const write = jest.spyOn(Socket.prototype, "write");
    const { gateway, client } = await openButton();
    // Of lengths that differ, as a frame's memory is used again for one of the same length.
    for (const status of [one, Uint8Array.of(2, 2)]) (await exchange(client, status))._unsafeUnwrap();
    const isClients = ({ remotePort }: Socket) => remotePort === gateway.port;
    const written = write.mock.calls.filter((_, call) => isClients(write.mock.contexts[call] as Socket));
    write.mockRestore();
    expect(written.map(([bytes]) => hex(bytes as Uint8Array))).toEqual([
      CONNECT,
      statusOf(1),
      payloadOf(BUTTON, "0202"),
    ]);
  });

  it("are those at the call, for a status that is sent at once, for its resend, and for one that waits", async () => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "close" });
    const buffers = [Uint8Array.of(1, 1), Uint8Array.of(2, 2), Buffer.from([3, 3])];
    const outcomes = buffers.map((buffer) => exchange(client, buffer));
    for (const buffer of buffers) buffer.fill(9);
    const received = (await Promise.all(outcomes)).map((outcome) => hex(outcome._unsafeUnwrap()));
    expect(received).toEqual(["0101", "0202", "0303"]);
    expect(gateway.statuses().map(hex)).toEqual(["0101", "0101", "0202", "0303"]);
  });
});

describe("concurrent statuses on one handle", () => {
  it("go one after the other in call order, and each gets its own outcome, of sendStatus and exchange alike", async () => {
    const { gateway, client } = await openButton({ answer: (status) => sleep(2, Uint8Array.of(...status, 0xff)) });
    const numbers = Array.from({ length: 20 }, (_, number) => number);
    const settled: number[] = [];
    const outcomes = numbers.map(async (number) => {
      const status = Uint8Array.of(number);
      const outcome = number === 7 ? await sendStatus(client, status) : await exchange(client, status);
      settled.push(number);
      return outcome._unsafeUnwrap();
    });
    const expected = numbers.map((number) => (number === 7 ? client : Uint8Array.of(number, 0xff)));
    expect(await Promise.all(outcomes)).toEqual(expected);
    expect(settled).toEqual(numbers);
    expect(gateway.statuses()).toEqual(numbers.map((number) => Uint8Array.of(number)));
    expect(gateway.connections).toBe(1);
  });

  it("go on behind one that fails if the client lives", async () => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "send", bytes: new Uint8Array(4) });
    const outcomes = await Promise.all([one, two, three].map((status) => exchange(client, status)));
    expect(outcomes.map((outcome) => outcome.match(hex, ({ code }) => code))).toEqual([
      "COMMAND_INCORRECT",
      "02",
      "03",
    ]);
  });

  it("fail together when the one before them destroys the client: it gets the error, they get CONTEXT_INCORRECT with that as cause", async () => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    const [first, ...others] = await Promise.all([one, two, three].map((status) => exchange(client, status)));
    const reason = first!._unsafeUnwrapErr();
    expect(reason.code).toBe("UNABLE_TO_CONNECT");
    expect(others).toHaveLength(2);
    for (const outcome of [...others, await exchange(client, one)]) {
      const error = outcome._unsafeUnwrapErr();
      expect(error).toMatchObject({ code: "CONTEXT_INCORRECT", returnCode: -11, family: "usage" });
      expect(error.cause).toBe(reason);
    }
    expect(gateway.statuses()).toEqual([one, one]);
  });

  it("may wait 64 at a time; one more is NOT_OK at once, and the others are served", async () => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "delay", ms: 50 });
    const numbers = Array.from({ length: 65 }, (_, number) => number);
    const outcomes = numbers.map((number) => exchange(client, Uint8Array.of(number)));
    const refused = (await exchange(client, Uint8Array.of(65)))._unsafeUnwrapErr();
    expect(refused).toMatchObject({ code: "NOT_OK", returnCode: -1, family: "usage", reason: "queue-full" });
    expect(refused.message).toMatch(/64/);
    expect((await Promise.all(outcomes)).map((outcome) => outcome._unsafeUnwrap()[0])).toEqual(numbers);
    expect((await exchange(client, Uint8Array.of(66))).isOk()).toBe(true);
    expect(gateway.statuses()).toHaveLength(66);
  });
});

// When the time of a status begins and ends: spec/protocol/timing.spec.ts. The default: spec/pages/generated.spec.ts.
describe("timeoutMs", () => {
  it("applies to an answer that drips in as to one that does not come", async () => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "drip", everyMs: 20 }, { times: 2 });
    // Whole, each of the two answers would take half a second and more, and complete the status.
    const [outcome, elapsedMs] = await timed(() => exchange(client, one, { timeoutMs: 100 }));
    expect(outcome._unsafeUnwrapErr().code).toBe("TIMEOUT_OCCURRED");
    expect(elapsedMs).toBeGreaterThanOrEqual(200);
  });

  it("may be 2^31-1, which does not make a timer fire at once", async () => {
    const { gateway, client } = await openButton({ answer: (status) => sleep(50, status) });
    expect((await exchange(client, one, { timeoutMs: 2 ** 31 - 1 }))._unsafeUnwrap()).toEqual(one);
    expect(gateway.statuses().length).toBe(1);
  });
});
