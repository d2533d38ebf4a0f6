import { createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { openRawDevice } from "../../lib/cli/check-device.js";
import { checks, createScene } from "../../lib/cli/check-list.js";
import { exchange, type Device } from "../../lib/index.js";
import { commandFrame } from "../../lib/testing.js";
import { utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { openClient, openGateway } from "../support/opened.js";
import { standStill } from "../support/stand-still.js";
import { listen, stopServers } from "../transport/echo-server.js";
import { createStage, endAll, eventsOf, run, start } from "./surroundings.js";

const KNOWN = { modules: [1, 2, 3, 1000] };
const ALWAYS = { times: Infinity };

afterEach(stopServers);
afterEach(endAll);

/** Runs the command with `--json`, and gives the exit code and the names of the lines that do and do not hold. */
async function checkAt(port: number, options = "") {
  const stage = createStage();
  const { code, errors } = await run(`check --json --port ${port} ${options}`, stage);
  const findings = eventsOf(stage);
  const named = (holds: boolean | null) => findings.filter((one) => one["holds"] === holds).map(({ name }) => name);
  return { code, held: named(true), failed: named(false), unchecked: named(null), findings, errors };
}

const device: Device = { module: 1000, deviceType: 0, deviceRole: "a", deviceName: "b", priority: 0 };

function placeOf(port: number, answerMs: number) {
  return { host: "127.0.0.1", port, answerMs, signal: new AbortController().signal };
}

/** A server that is no gateway. */
function serve(onSocket: (socket: Socket) => unknown) {
  return listen(createServer(onSocket), { host: "127.0.0.1", port: 0 });
}

describe("check at a healthy gateway", () => {
  it("finds that everything holds, exits with 0, disturbs no connected device and leaves nothing behind", async () => {
    const gateway = await openGateway(KNOWN);
    const client = await openClient(gateway);
    const { code, held, failed, unchecked } = await checkAt(gateway.port);
    expect({ code, failed, unchecked }).toEqual({ code: 0, failed: [], unchecked: [] });
    expect(held).toEqual([
      "module 1000, example",
      "module 3, transparent",
      "module 2, car accessory",
      "module 1, mission",
      ...checks.filter(({ isSlow }) => isSlow !== true).map(({ name }) => name),
    ]);
    await eventually(() => expect(gateway.openSockets).toBe(1));
    expect((await exchange(client, utf8('{"pressed": true}'))).isOk()).toBe(true);
    expect(gateway.received.at(-1)).toMatchObject({ kind: "status", connection: 1 });
  });

  it("prints a line for each check, with what was seen and what was expected, and how many hold", async () => {
    const gateway = await openGateway(KNOWN);
    gateway.misbehave("connect", { do: "refuse", responseType: 3 }, { which: { module: 2 ** 31 - 1 }, ...ALWAYS });
    const { code, output } = await run(`check --port ${gateway.port}`);
    expect(code).toBe(6);
    const lines = output.split("\n").map((line) => line.replace(/\([\d.]+ ms\)/, "(TIME)"));
    expect(lines[0]).toBe('ok    module 1000, example: the command { "lit_up": false }; as expected (TIME)');
    expect(lines[4]).toBe(
      "WRONG a module that is not served: DEVICE_NOT_SUPPORTED, left open, its slot taken: DEVICE_NOT_SUPPORTED; " +
        "but expected: MODULE_NOT_SUPPORTED, left open, its slot taken: ALREADY_CONNECTED",
    );
    expect(lines).toContain("ok    a message of 0 bytes: closed; as expected (TIME)");
    expect(lines.at(-2)).toBe("24 of 25 hold");
  });

  it("uses the modules that are served, and says which are not", async () => {
    const { port } = await openGateway({ modules: [3] });
    const { code, failed, unchecked } = await checkAt(port);
    expect({ code, failed, unchecked }).toEqual({
      code: 0,
      failed: [],
      unchecked: [
        "module 1000, example",
        "module 2, car accessory",
        "module 1, mission",
        "a device type that the module does not support",
        "an invalid status",
      ],
    });
  });

  it("tries the older form of a mission if the newer is not understood", async () => {
    const answer = () => new Uint8Array(0);
    const { port } = await openGateway({ modules: [{ module: 1, deviceTypes: [1], answer }] });
    const { code, held } = await checkAt(port);
    expect(code).toBe(0);
    expect(held).toContain("module 1, mission (protobuf)");
  });

  it("checks with a module and status that are named, and with no other", async () => {
    const gateway = await openGateway({ modules: [...KNOWN.modules, { module: 1234, deviceTypes: [7] }] });
    const { code, held } = await checkAt(gateway.port, "--module 1234 --type 7 --status hello");
    expect(code).toBe(0);
    expect(held).toContain("module 1234");
    expect(gateway.statuses({ deviceType: 7 })).toEqual(gateway.statuses());
  });
});

const ECHOING = ["module 1000, example", "module 2, car accessory", "a module that is not served"];

describe("check at a gateway that misbehaves names what does not hold, and exits with 6", () => {
  it("in everything that it gets wrong", async () => {
    const { port, misbehave } = await openGateway({ ...KNOWN, cleanUpMs: 600_000 });
    misbehave("connect", { do: "close" }, { which: { module: 2 ** 31 - 1 }, ...ALWAYS });
    misbehave("connect", { do: "refuse", responseType: 2 }, { which: { deviceType: 2 ** 32 - 1 }, ...ALWAYS });
    misbehave("connect", { do: "refuse", responseType: 4 }, { which: { priority: 1 }, ...ALWAYS });
    misbehave("status", { do: "close" }, { which: { module: 3 }, ...ALWAYS });
    misbehave("status", { do: "push instead", command: utf8("on") }, { which: { module: 2 }, ...ALWAYS });
    const { code, failed } = await checkAt(port);
    expect(code).toBe(6);
    expect(failed).toEqual([
      "module 3, transparent",
      "module 2, car accessory",
      "a module that is not served",
      "a device type that the module does not support",
      "a device, the same of a higher priority, and the first again",
      "a device that disconnects and connects again",
    ]);
  });

  it.each([
    ["serves every module, and answers with the status", {}, "", ECHOING],
    ["does not serve the module that is named", KNOWN, "--module 1234 --status hello", ["module 1234"]],
  ])("where it %s", async (_what, gateway, options, wrong) => {
    const { port } = await openGateway(gateway);
    const { code, failed } = await checkAt(port, options);
    expect({ code, failed }).toEqual({ code: 6, failed: wrong });
  });

  it("where no module answers, so that there is nothing to check the rest with", async () => {
    const { port } = await openGateway({ modules: [1234] });
    const { code, errors } = await checkAt(port);
    expect(code).toBe(6);
    expect(errors).toBe("no module answers, so the rest is not checked: give one with --module and --status\n");
  });

  it("in every single check in which it sends nothing, or closes at once", async () => {
    for (const isMute of [true, false]) {
      const { port } = await serve((socket) => (isMute ? socket.resume() : socket.end()));
      for (const { expected, see } of checks) {
        const { scene, close } = createScene(placeOf(port, 20), device, utf8("x"), { leastMs: 1, mostMs: 20 });
        const seen = await see(scene).catch((error: unknown) => [String(error)]);
        close();
        const isJustClosing = expected.join() === "closed" && !isMute;
        if (!isJustClosing) expect(seen).not.toEqual(expected);
      }
    }
  });
});

it("check takes what came while its process stood still for what came in time", async () => {
  const { port, sockets } = await serve(() => undefined);
  const raw = openRawDevice(placeOf(port, 100), device);
  await raw.connected;
  await eventually(() => expect(sockets.size).toBe(1));
  const [socket] = sockets;
  for (const [act, seen] of [
    [() => socket!.write(commandFrame(device, utf8("x"))), "a command"],
    [() => socket!.end(), "closed"],
  ] as const) {
    const next = raw.next();
    act();
    standStill(200);
    expect(await next).toBe(seen);
  }
});

describe("check --silence", () => {
  const [slow] = checks.filter(({ isSlow }) => isSlow === true);

  it.each([
    ["holds where a silent device is cut", 1_000, { leastMs: 50, mostMs: 60_000 }, slow!.expected],
    ["fails where it is cut too soon", 50, { leastMs: 60_000, mostMs: 60_000 }, ["OK", "a command", "closed too soon"]],
    ["fails where it is not cut", 600_000, { leastMs: 10, mostMs: 100 }, ["OK", "a command", "nothing"]],
  ])("%s", async (_, silenceMs, silence, seen) => {
    const { port } = await openGateway({ silenceMs });
    const { scene, close } = createScene(placeOf(port, 60_000), device, utf8("x"), silence);
    expect(await slow!.see(scene)).toEqual(seen);
    close();
  });
});

it("check exits with 4 and says why if there is no gateway", async () => {
  const gateway = await openGateway();
  await gateway.stop();
  const { code, findings, errors } = await checkAt(gateway.port);
  expect({ code, findings }).toEqual({ code: 4, findings: [] });
  expect(errors).toMatch(/^UNABLE_TO_CONNECT: .*ECONNREFUSED.*\n$/);
});

it("check that is interrupted exits with 130, prints nothing more and closes its connections", async () => {
  const gateway = await openGateway(KNOWN);
  gateway.misbehave("status", { do: "stay silent" }, ALWAYS);
  const { stage, ended } = start(`check --port ${gateway.port}`);
  await gateway.nextStatus();
  stage.interrupt();
  expect(await ended).toBe(130);
  expect([stage.output.text, stage.errors.text]).toEqual(["", ""]);
  await eventually(() => expect(gateway.openSockets).toBe(0));
});
