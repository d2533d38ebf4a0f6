import { performance } from "node:perf_hooks";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { commandFrame } from "../../lib/testing.js";
import { closed, connect, destroy, exchange, type DiagnosticsMessages } from "../../lib/index.js";
import { duplexPair } from "../support/duplex-pair.js";
import { eventually } from "../support/eventually.js";
import { standStill } from "../support/stand-still.js";
import { button, configFor, endAll, keep, openButton, openClient, openGateway } from "../support/opened.js";
import { commandOf, CONNECTED, fromHex } from "../testing/wire.js";
import { listenToAll, type Name } from "./listen-to-all.js";

let told: [Name, Record<string, unknown>][] = [];
let onMessage: (name: string) => void = () => undefined;

beforeEach(() => {
  told = [];
  onMessage = () => undefined;
});

listenToAll((name, { client, ...details }) => {
  expect(client.device.deviceRole).toBe(button.deviceRole);
  told.push([name, details]);
  onMessage(name);
});

afterEach(endAll); // when nothing is told any more

const secret = Uint8Array.of(0xca, 0xfe, 0xba, 0xbe);

describe("the diagnostics channels report", () => {
  it("a connect, a status, its answer, a push and the end, and never a payload's bytes", async () => {
    const { gateway, client } = await openButton();
    (await exchange(client, secret))._unsafeUnwrap();
    gateway.push(Uint8Array.of(1, 2));
    await eventually(() => expect(told).toHaveLength(4));
    await destroy(client);
    expect(told).toEqual([
      ["connect", {}],
      ["status", { frameBytes: 4 + 28, afterReconnect: false }],
      ["command", { bytes: 4, kind: "answer" }],
      ["command", { bytes: 2, kind: "push" }],
      ["destroy", { error: undefined }],
    ]);
    const written = inspect(told, { depth: Infinity, showHidden: true });
    expect(written).not.toMatch(/ca,? ?fe|202, 254/);
  });

  it("a drop and the reconnection, with the status that was sent again", async () => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "close" });
    (await exchange(client, secret))._unsafeUnwrap();
    expect(told.map(([name]) => name)).toEqual(["connect", "status", "drop", "reconnect", "status", "command"]);
    const reason = "the gateway closed the connection";
    expect(told[2]?.[1]).toMatchObject({ reason, error: { code: "UNABLE_TO_CONNECT", reason: "closed" } });
    const { message } = (told[2]?.[1] as unknown as DiagnosticsMessages["drop"]).error;
    expect(message).toContain(reason);
    expect(message).toContain(" The client can still be used.");
    expect(told[4]?.[1]).toMatchObject({ afterReconnect: true });
  });

  it("a refusal, and whether the client asks again", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "refuse", responseType: 1 });
    const refused = await connect(configFor(gateway));
    expect(told).toEqual([
      ["refusal", { code: "DEVICE_ALREADY_CONNECTED", willAskAgain: false }],
      ["destroy", { error: refused._unsafeUnwrapErr() }],
    ]);

    const client = await openClient(gateway);
    told = [];
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave("connect", { do: "refuse", responseType: 1 });
    (await exchange(client, secret))._unsafeUnwrap();
    expect(told).toContainEqual(["refusal", { code: "DEVICE_ALREADY_CONNECTED", willAskAgain: true }]);
  });

  it("a command for another device that was ignored, and a message that made the client drop the connection", async () => {
    const gateway = await openGateway();
    await openClient(gateway);
    gateway.send(commandFrame({ ...button, deviceRole: "another" }, secret));
    await eventually(() => expect(told).toHaveLength(2));
    expect(told[1]).toEqual(["ignore", { reason: "the gateway sent a command for another device" }]);
    gateway.send(Uint8Array.of(0, 0, 0, 0));
    await eventually(() => expect(told).toHaveLength(3));
    expect(told[2]?.[0]).toBe("drop");
    expect(told[2]?.[1]["reason"]).toContain("a message of length 0");
  });

  it("what destroyed a client", async () => {
    const { gateway, client } = await openButton();
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    const failed = await exchange(client, secret);
    expect(told.at(-1)).toEqual(["destroy", { error: failed._unsafeUnwrapErr() }]);
  });
});

describe("a listener that uses the library while it is called", () => {
  it("learns by `closed` of the refusal that ends the client", async () => {
    const { gateway, client } = await openButton();
    let ending: ReturnType<typeof closed> | undefined;
    onMessage = (name) => {
      if (name === "refusal") ending = closed(client);
    };
    gateway.misbehave("status", { do: "close" });
    gateway.misbehave("connect", { do: "refuse", responseType: 2 });
    const failed = await exchange(client, secret);
    expect((await ending)?._unsafeUnwrapErr()).toBe(failed._unsafeUnwrapErr());
  });

  it.each(["status", "command", "reconnect", "drop"])("may send a status and destroy the client (%s)", async (name) => {
    const { gateway, client } = await openButton();
    let nested: ReturnType<typeof exchange> | undefined;
    onMessage = (toldName) => {
      if (toldName !== name || nested !== undefined) return;
      nested = exchange(client, Uint8Array.of(9));
      void destroy(client);
    };
    gateway.misbehave("status", { do: "close" });
    const [outcome, nestedOutcome] = [await exchange(client, secret), await nested];
    expect([outcome, nestedOutcome].filter((settled) => settled?.isErr() === true).length).toBeGreaterThanOrEqual(1);
    await destroy(client);
    expect((await exchange(client, secret))._unsafeUnwrapErr().code).toBe("CONTEXT_INCORRECT");
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it("may abort a status while it is called for that status; those behind it go on", async () => {
    const { client } = await openButton();
    const controller = new AbortController();
    onMessage = (name) => {
      if (name === "status" && told.filter(([one]) => one === "status").length === 2) controller.abort();
    };
    const [first, second, third] = await Promise.all([
      exchange(client, Uint8Array.of(1)),
      exchange(client, Uint8Array.of(2), { signal: controller.signal }),
      exchange(client, Uint8Array.of(3), { timeoutMs: 1_000 }),
    ]);
    expect(first._unsafeUnwrap()).toEqual(Uint8Array.of(1));
    expect(second._unsafeUnwrapErr().code).toBe("NOT_OK");
    expect(third._unsafeUnwrap()).toEqual(Uint8Array.of(3));
  });

  it("that destroys the client learns when the socket is gone, and is told of the end when it has returned", async () => {
    const { client } = await openButton();
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
    const before = sockets();
    const order: string[] = [];
    let left: Promise<number> | undefined;
    onMessage = (name) => {
      order.push(name);
      if (name === "status") left = Promise.resolve(destroy(client)).then(sockets);
      order.push(`${name} is told`);
    };
    (await exchange(client, secret))._unsafeUnwrapErr();
    expect(order).toEqual(["status", "status is told", "destroy", "destroy is told"]);
    expect(await left).toBeLessThan(before);
  });

  it("has its status sent after the one in flight", async () => {
    const { client } = await openButton();
    let nested: ReturnType<typeof exchange> | undefined;
    onMessage = (name) => {
      if (name === "command") nested ??= exchange(client, Uint8Array.of(2));
    };
    expect((await exchange(client, Uint8Array.of(1)))._unsafeUnwrap()).toEqual(Uint8Array.of(1));
    expect((await nested)?._unsafeUnwrap()).toEqual(Uint8Array.of(2));
  });
});

describe("a stream of the user's that reports while a listener is being told", () => {
  const fellIn = new Error("the tunnel fell in");

  /** A button, and both ends of the streams that it has asked for; the far ones answer a connect, and nothing else. */
  async function openOverStreams() {
    const streams: (readonly [near: Duplex, far: Duplex])[] = [];
    const createConnection = () => {
      const [near, far] = duplexPair();
      far.once("data", () => far.write(fromHex(CONNECTED)));
      streams.push([near, far]);
      return near;
    };
    const config = { host: "gateway.invalid", port: 1, device: button, createConnection };
    const client = keep((await connect(config))._unsafeUnwrap());
    return { client, streams };
  }

  it("by bytes that it then writes over has them read as they were", async () => {
    const { client, streams } = await openOverStreams();
    onMessage = (name) => {
      if (name !== "status") return;
      const bytes = fromHex(commandOf(7));
      streams[0]?.[1].write(bytes);
      bytes.fill(0);
    };
    expect((await exchange(client, secret))._unsafeUnwrap()).toEqual(Uint8Array.of(7));
  });

  it("by bytes and then by a failure has both looked at, in that order, when the listener has returned", async () => {
    const { client, streams } = await openOverStreams();
    const order: string[] = [];
    onMessage = (name) => {
      order.push(name);
      if (name === "status") {
        const [near, far] = streams[0]!;
        far.write(fromHex(commandOf(7)));
        near.emit("error", fellIn);
      }
      order.push(`${name} is told`);
    };
    expect((await exchange(client, secret))._unsafeUnwrap()).toEqual(Uint8Array.of(7));
    expect(order).toEqual(["status", "status is told", "command", "command is told", "drop", "drop is told"]);
    expect(told.at(-1)?.[1]["error"]).toMatchObject({ cause: fellIn });
  });

  it("by a failure, after the listener has aborted the status, does not harm the next one's connection", async () => {
    const { client, streams } = await openOverStreams();
    const controller = new AbortController();
    const first = exchange(client, secret);
    const aborted = exchange(client, secret, { signal: controller.signal });
    const next = exchange(client, secret);
    onMessage = (name) => {
      if (name === "drop") standStill(5); // the pause before the reconnection is over when it returns
      if (name !== "status" || streams.length > 1) return;
      controller.abort();
      streams[0]?.[0].emit("error", fellIn);
    };
    streams[0]?.[1].write(fromHex(commandOf(7)));
    expect((await first)._unsafeUnwrap()).toEqual(Uint8Array.of(7));
    expect((await aborted)._unsafeUnwrapErr()).toMatchObject({ code: "NOT_OK", reason: "aborted" });
    await eventually(() => expect(told.slice(-3).map(([name]) => name)).toEqual(["drop", "reconnect", "status"]));
    streams[1]?.[1].write(fromHex(commandOf(8)));
    expect((await next)._unsafeUnwrap()).toEqual(Uint8Array.of(8));
  });
});

describe("a listener that is busy", () => {
  it("for longer than a status may take does not make it time out: nothing was read meanwhile", async () => {
    const { client } = await openButton({ answer: (status) => sleep(100, status), moduleTimeoutMs: 5_000 });
    onMessage = (name) => {
      if (name === "status") standStill(1_100);
    };
    const outcome = await exchange(client, secret, { timeoutMs: 1_000 });
    expect(outcome._unsafeUnwrap()).toEqual(secret);
    expect(told.map(([name]) => name)).toEqual(["connect", "status", "command"]);
  });

  describe("has its time added to the limit of the status", () => {
    const clock = performance.now.bind(performance);
    let busyMs = 0;

    beforeEach(() => {
      busyMs = 0;
      jest.spyOn(performance, "now").mockImplementation(() => clock() + busyMs);
    });

    afterEach(() => void jest.restoreAllMocks());

    it("even if that is only a moment", async () => {
      const { gateway, client } = await openButton();
      gateway.misbehave("status", { do: "stay silent" });
      let droppedAt = 0;
      onMessage = (name) => {
        if (name === "status") busyMs = 45;
        if (name === "drop") droppedAt = clock();
      };
      const sentAt = clock();
      expect((await exchange(client, secret, { timeoutMs: 1_000 }))._unsafeUnwrap()).toEqual(secret);
      expect(droppedAt - sentAt).toBeGreaterThan(990); // else 955
    });

    it("and once, although the process stood still for it too", async () => {
      const { gateway, client } = await openButton();
      gateway.misbehave("status", { do: "stay silent" }, { times: 2 });
      onMessage = () => {
        if (told.filter(([name]) => name === "status").length === 2) busyMs = 100_000;
      };
      const sentAt = clock();
      const outcome = await exchange(client, secret, { timeoutMs: 200 });
      expect(outcome._unsafeUnwrapErr().code).toBe("TIMEOUT_OCCURRED");
      expect(clock() - sentAt).toBeLessThan(50_000);
    });
  });
});
