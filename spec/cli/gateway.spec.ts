import { afterEach, describe, expect, it } from "@jest/globals";
import { servedModulesOf } from "../../lib/cli/gateway.js";
import { connect, destroy, exchange, getCommand, type DeviceConfig } from "../../lib/index.js";
import { hex, utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { button, keep, openGateway } from "../support/opened.js";
import { dial, hangUpAll } from "../testing/raw-socket.js";
import { CONNECT, CONNECTED, statusOf } from "../testing/wire.js";
import * as surroundings from "./surroundings.js";
import { createStage, endAll, eventsOf, Paper, run, wordsOf, type Running } from "./surroundings.js";

afterEach(async () => {
  await hangUpAll();
  await endAll();
});

interface RunningGateway extends Running {
  readonly port: number;
}

/** Starts it on a free port, which it tells in its first line; unless told otherwise it serves every module. */
async function start(options = "--echo --decode none", stage = createStage()): Promise<RunningGateway> {
  const running = surroundings.start(`gateway --port 0 ${options}`, stage);
  await eventually(() => expect(stage.output.lines).toHaveLength(1));
  return { ...running, port: Number(/(?::|"port":)(\d+)[,}]/.exec(stage.output.text)![1]) };
}

/** Undefined if the gateway does not let the device in. */
async function tryToConnect({ port }: RunningGateway, changes: Partial<DeviceConfig> = {}) {
  const connected = await connect({ host: "127.0.0.1", port, device: { ...button, ...changes } });
  return connected.isOk() ? keep(connected.value) : undefined;
}

async function connectTo(running: RunningGateway, changes?: Partial<DeviceConfig>) {
  return (await tryToConnect(running, changes))!;
}

async function commandFor(running: RunningGateway, status: string): Promise<string> {
  return hex((await exchange(await connectTo(running), utf8(status)))._unsafeUnwrap());
}

/** What stands on the screen, without the cursor's way there. */
function withoutMoves(text: string): string {
  return text.replace(/\x1b\[\d*[A-Z]/g, "");
}

const BUTTON = '"button1" (module 1000, type 0, role "test", priority 0)';

/** In words: that it listens and what it serves, and then those. */
async function expectShown({ stage, port }: RunningGateway, served: string, ...words: unknown[]): Promise<void> {
  const listening = `listening on 127.0.0.1:${port}, serving ${served}`;
  await eventually(() => expect(wordsOf(stage)).toEqual([listening, ...words]));
}

describe("gateway", () => {
  it("says where it listens and what it serves, shows each connect and status, and answers with the status", async () => {
    const running = await start();
    expect(await commandFor(running, "a")).toBe("61");
    await expectShown(running, "every module", `connected: ${BUTTON}`, `status of ${BUTTON}: "a"`);
  });

  it("serves the known modules as the real gateway does, and shows what their statuses mean", async () => {
    const running = await start("");
    expect(await commandFor(running, '{"pressed": true}')).toBe(hex(utf8('{"lit_up": false}')));
    await tryToConnect(running, { module: 1234 });
    const refused = expect.stringMatching(/^refused: .*: MODULE_NOT_SUPPORTED \(--module 1234 serves it\)$/);
    const status = `status of ${BUTTON}: { "pressed": true }`;
    await expectShown(running, "modules 1, 2, 3, 1000", `connected: ${BUTTON}`, status, refused);
  });

  it("writes JSON lines with --json, and answers every status with --answer", async () => {
    const running = await start("--json --decode none --module 1000 --answer on");
    expect(await commandFor(running, "a")).toBe(hex(utf8("on")));
    await tryToConnect(running, { module: 7 });
    const device = { ...button, priority: 0 };
    await eventually(() =>
      expect(eventsOf(running.stage)).toEqual([
        { event: "listening", host: "127.0.0.1", port: running.port },
        { event: "connect", device },
        { event: "status", device, bytes: 1, hex: "61", text: "a" },
        { event: "refusal", device: { ...device, module: 7 }, code: "MODULE_NOT_SUPPORTED" },
      ]),
    );
  });

  it("serves only the modules and types that are named, and shows which device it refuses and why", async () => {
    const running = await start("--module 1000 --module 2:1,4");
    for (const changes of [{}, { module: 7 }, { module: 2, deviceType: 2 }, { module: 2, deviceType: 4 }]) {
      await tryToConnect(running, changes);
    }
    await tryToConnect(running);
    await tryToConnect(running, { priority: 1 });
    await expectShown(
      running,
      "modules 1000, 2 (types 1, 4)",
      `connected: ${BUTTON}`,
      'refused: "button1" (module 7, type 0, role "test", priority 0): MODULE_NOT_SUPPORTED (--module 7 serves it)',
      'refused: "button1" (module 2, type 2, role "test", priority 0): DEVICE_TYPE_NOT_SUPPORTED',
      'connected: "button1" (module 2, type 4, role "test", priority 0)',
      `refused: ${BUTTON}: DEVICE_ALREADY_CONNECTED`,
      'refused: "button1" (module 1000, type 0, role "test", priority 1): HIGHER_PRIORITY_ALREADY_CONNECTED',
    );
  });

  it.each<[options: string, seen: (stage: Running["stage"]) => unknown[], shown: unknown]>([
    ["", wordsOf, `disconnected by the device: ${BUTTON}`],
    ["--json", eventsOf, { event: "disconnect", device: { ...button, priority: 0 }, by: "device" }],
  ])("shows when a device goes, and who ended the connection: %s", async (options, seen, shown) => {
    const running = await start(options);
    await destroy(await connectTo(running));
    await eventually(() => expect(seen(running.stage).at(-1)).toEqual(shown));
  });

  it("shows everything that arrives at once, in order", async () => {
    const running = await start();
    const socket = await dial({ host: "127.0.0.1", port: running.port });
    await socket.exchanges(CONNECT, CONNECTED);
    socket.send(statusOf(0x61) + statusOf(0x62) + statusOf(0x63));
    const lines = ["a", "b", "c"].map((status) => `status of ${BUTTON}: "${status}"`);
    await expectShown(running, "every module", `connected: ${BUTTON}`, ...lines);
  });

  it("shows a name that would control the terminal escaped", async () => {
    const running = await start("--hex --echo");
    await connectTo(running, { deviceName: "\x1b[2J\u009b\n" });
    const shown = 'connected: "\\u001b[2J\\u{9b}\\n" (module 1000, type 0, role "test", priority 0)';
    await eventually(() => expect(wordsOf(running.stage)[1]).toBe(shown));
  });

  it.each([
    ["with --push-stdin", "--push-stdin --echo", false],
    ["when that is a terminal", "--echo", true],
  ])("pushes each line of standard input to all devices %s", async (_when, options, isTTY) => {
    const stage = createStage();
    stage.input.isTTY = isTTY;
    const running = await start(options, stage);
    const devices = [await connectTo(running), await connectTo(running, { deviceRole: "other" })];
    stage.input.write("on\n\nnot yet a line");
    await eventually(() => expect(wordsOf(stage).at(-1)).toBe("pushed to 2 devices: (empty)"));
    expect(wordsOf(stage).at(-2)).toBe('pushed to 2 devices: "on"');
    await eventually(() =>
      expect(devices.map((each) => getCommand(each)._unsafeUnwrap())).toEqual([utf8(""), utf8("")]),
    );
    stage.interrupt();
    expect(await running.ended).toBe(0);
    expect(stage.input.destroyed).toBe(true);
  });

  it("does not push a line of more than 1 MiB, whether it ends or not, and goes on when standard input ends", async () => {
    const running = await start("--push-stdin --echo");
    const { input, output, errors } = running.stage;
    for (let sent = 0; sent < 3; sent += 1) input.write("a".repeat(1024 * 1024));
    input.write("\non\r\n");
    await eventually(() => expect(wordsOf(running.stage).at(-1)).toBe('pushed to 0 devices: "on"'));
    expect(output.lines).toHaveLength(2);
    expect(errors.text).toBe("a line of more than 1048576 characters is not pushed\n");
    input.end(`${"a".repeat(1024 * 1024 + 1)}\noff\n`);
    await eventually(() => expect(wordsOf(running.stage).at(-1)).toBe('pushed to 0 devices: "off"'));
    expect(output.lines).toHaveLength(3);
    await connectTo(running);
  });

  it("shows what happens above the line that is being typed", async () => {
    const stage = createStage(new Paper(true, 80, 24));
    stage.input.isTTY = true;
    const running = await start("--echo", stage);
    stage.input.write("half a li");
    await eventually(() => expect(withoutMoves(stage.output.text)).toMatch(/push> half a li$/));
    stage.output.taken();
    await connectTo(running);
    await eventually(() => expect(stage.output.text).toContain(`connected: ${BUTTON}\n`));
    const [before, behind] = stage.output.taken().split(`connected: ${BUTTON}\n`);
    expect(before).toMatch(/^\x1b\[1G\x1b\[0J\d\d:\d\d:\d\d\.\d{3} $/);
    expect(withoutMoves(behind!)).toBe("push> half a li");
    stage.input.write("ne\r");
    await eventually(() => expect(stage.output.text).toContain('pushed to 1 device: "half a line"\n'));
    stage.input.write("\x03");
    expect(await running.ended).toBe(0);
  });

  it("leaves standard input alone otherwise", async () => {
    const running = await start();
    running.stage.input.write("on\n");
    await connectTo(running);
    await eventually(() => expect(wordsOf(running.stage)).toHaveLength(2));
    expect(running.stage.input.readableLength).toBe(3);
  });

  it("closes everything when it is interrupted, and exits with 0", async () => {
    const running = await start();
    const socket = await dial({ host: "127.0.0.1", port: running.port });
    running.stage.interrupt();
    expect(await running.ended).toBe(0);
    expect(["end", "close", "ECONNRESET"]).toContain(await socket.ended);
    expect(await tryToConnect(running)).toBeUndefined();
    expect(running.stage.errors.text).toBe("");
  });

  it("says so in one line and exits with 4 when it cannot listen on its port", async () => {
    const { port } = await openGateway();
    expect(await run(`gateway --port ${port}`)).toEqual({
      code: 4,
      output: "",
      errors: expect.stringMatching(new RegExp(`^cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE.*\n$`)),
    });
  });

  it("ends at once when it was interrupted before it listened", async () => {
    const stage = createStage();
    stage.interrupt();
    expect((await run("gateway --port 0", stage)).code).toBe(0);
  });
});

describe("the modules to serve", () => {
  it.each<[given: string[], served: ReturnType<typeof servedModulesOf>]>([
    [[], undefined],
    [["1000"], [{ module: 1000 }]],
    [["2:1", "2:4"], [{ module: 2, deviceTypes: [1, 4] }]],
    [["2:1", "2"], [{ module: 2 }]],
    [["2", "2:1"], [{ module: 2 }]],
  ])("%j are %j", (given, served) => {
    expect(servedModulesOf(given)).toEqual(served);
  });

  it.each(["", "a", "-1", "2:", "2:1,", "2:1:3", "2147483648"])("cannot be %j", (given) => {
    expect(() => servedModulesOf([given])).toThrow(/must be/);
  });
});
