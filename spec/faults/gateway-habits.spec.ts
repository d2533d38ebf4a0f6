import { afterEach, describe, expect, it } from "@jest/globals";
import { exchange } from "../../lib/index.js";
import { hex } from "../support/bytes.js";
import { button, endAll, openButton, openClient, openGateway } from "../support/opened.js";
import { byNodeTimer, timed } from "../support/timed.js";

// What a real module gateway does in several steps, and what a client makes of the whole. Each step has its rows in the
// tables of faults and of transitions.

const ONE = Uint8Array.of(1);

afterEach(endAll);

describe("a status that the module finds invalid", () => {
  it("gets no answer and a close after 250 ms: the client reconnects and sends the same bytes again", async () => {
    let isValid = false;
    const { gateway, client } = await openButton({
      answer: (status) => {
        const command = isValid ? status : undefined;
        isValid = true;
        return command;
      },
    });
    const [answer, elapsedMs] = await timed(() => exchange(client, ONE));
    expect(answer._unsafeUnwrap()).toEqual(ONE);
    expect(elapsedMs).toBeGreaterThanOrEqual(byNodeTimer(250));
    expect(gateway.statuses().map(hex)).toEqual(["01", "01"]);
    expect(gateway.connections).toBe(2);
  });
});

describe("ALREADY_CONNECTED", () => {
  it("until the 250 ms of the unanswered status are over is survived", async () => {
    let isMute = true;
    const { gateway, client } = await openButton({ answer: (status) => (isMute ? undefined : status) });
    const arrives = gateway.nextStatus();
    const running = timed(() => exchange(client, ONE));
    await arrives;
    isMute = false;
    gateway.kick();
    const [answer, elapsedMs] = await running;
    expect(answer._unsafeUnwrap()).toEqual(ONE);
    // How often it was asked meanwhile depends on the machine.
    expect(elapsedMs).toBeGreaterThanOrEqual(byNodeTimer(250));
    expect(gateway.statuses().map(hex)).toEqual(["01", "01"]);
  });
});

describe("a device of a higher priority", () => {
  it.each([
    ["while the other is idle", false],
    ["while a status of the other is in flight", true],
  ])("takes over %s, whose status ends in HIGHER_PRIORITY_ALREADY_CONNECTED", async (_, isInFlight) => {
    const gateway = await openGateway();
    const loser = await openClient(gateway, { device: { ...button, priority: 1 } });
    gateway.misbehave("status", { do: "stay silent" }, { which: { priority: 1 } });
    const arrives = gateway.nextStatus();
    const inFlight = isInFlight ? exchange(loser, ONE) : undefined;
    if (isInFlight) await arrives;
    const winner = await openClient(gateway, { device: { ...button, priority: 0 } });
    const error = (await (inFlight ?? exchange(loser, ONE)))._unsafeUnwrapErr();
    expect(error).toMatchObject({ code: "HIGHER_PRIORITY_ALREADY_CONNECTED", family: "connect" });
    expect((await exchange(loser, ONE))._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    expect((await exchange(winner, ONE))._unsafeUnwrap()).toEqual(ONE);
    expect(gateway.devices.map(({ priority }) => priority)).toEqual([0]);
  });
});
