import { truncateSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "@jest/globals";
import type { TestingGateway } from "../../lib/testing.js";
import { fromHex, utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { openGateway } from "../support/opened.js";
import { createStage, endAll, eventsOf, Paper, refuses, run, start, temporaryFile, type Plan } from "./surroundings.js";

afterEach(endAll);

function lineFor({ port }: TestingGateway, options: string, module = 1234): string {
  return `send --port ${port} --module ${module} ${options}`;
}

describe("send", () => {
  it("prints the command that answers the status, and nothing else, and leaves no connection", async () => {
    const gateway = await openGateway({ answer: () => utf8('{"lit_up":true}') });
    const line = lineFor(gateway, "--status pressed");
    expect(await run(line)).toEqual({ code: 0, output: '{"lit_up":true}\n', errors: "" });
    expect(gateway.statuses()).toEqual([utf8("pressed")]);
    expect(gateway.connections).toBe(1);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it.each([
    [
      "the device that the options say",
      "--type 4 --role left_button --name b1 --priority 7 --timeout 9000.5 --connect-timeout 9000",
      { deviceType: 4, deviceRole: "left_button", deviceName: "b1", priority: 7 },
    ],
    [
      "by default a device that cannot be mistaken for a real one",
      "",
      { deviceType: 0, deviceRole: "command_line_send", deviceName: "command_line_send", priority: 0 },
    ],
  ])("is %s", async (_which, options, device) => {
    const gateway = await openGateway();
    expect((await run(lineFor(gateway, `--status a ${options}`))).code).toBe(0);
    expect(gateway.received[0]!.device).toEqual({ module: 1234, ...device });
  });

  it.each([
    ["as hex", "--status-hex '61 62\n6C'", "abl\n"],
    ["that is empty, and prints an empty command as an empty line", "--status ''", "\n"],
    ["and prints the command as hex with --hex", "--status ab --hex", "6162\n"],
    ["from a file, unchanged", "--status-file FILE", "hex 00ff0a\n"],
    ["from standard input", "-", "hello\n"],
  ])("takes the status %s", async (_what, options, output) => {
    const [path, stage] = [temporaryFile(), createStage()];
    writeFileSync(path, fromHex("00ff0a"));
    stage.input.write("hel");
    stage.input.end("lo");
    const line = lineFor(await openGateway(), options.replace("FILE", path));
    expect(await run(line, stage)).toEqual({ code: 0, output, errors: "" });
  });

  it("prints JSON over several lines at a terminal", async () => {
    const stage = createStage(new Paper(true, 80, 24));
    const { output } = await run(lineFor(await openGateway(), `--status '{"a":1}'`), stage);
    expect(output).toBe('{\n  "a": 1\n}\n');
  });

  it("sends a known module's status as that module spells it, and with --json prints one object", async () => {
    const gateway = await openGateway({ modules: [1000] });
    const stage = createStage();
    expect((await run(lineFor(gateway, `--json --status '{"pressed":true}'`, 1000), stage)).code).toBe(0);
    expect(gateway.statuses()).toEqual([utf8('{"pressed": true}')]);
    expect(eventsOf(stage)).toEqual([
      {
        event: "command",
        kind: "answer",
        roundTripMs: expect.any(Number),
        bytes: 17,
        hex: "7b226c69745f7570223a2066616c73657d",
        text: '{"lit_up": false}',
        value: { lit_up: false },
      },
    ]);
  });
});

const SILENT: Plan = ["status", { do: "stay silent" }, { times: 2 }];
const ALREADY = /^DEVICE_ALREADY_CONNECTED: .*--role gives this one another role\.\n$/;
const TOO_LATE = /^TIMEOUT_OCCURRED: no command came within 30 ms.*\n$/;
const TOO_LARGE = /^NOT_OK: status is too large: its message would be \d+ bytes long, above the limit of .*\n$/;
const UNREADABLE =
  /^fleet-internal-client: the status cannot be read: ENOENT: no such file or directory, open '\/nowhere'\n$/;
const INVALID = /^fleet-internal-client: the module example considers this status invalid: .*\n$/;

describe("send fails with one line, and an exit code that says who caused it:", () => {
  it.each<[code: number, when: string, cause: Plan | "it is stopped" | undefined, options: string, errors: RegExp]>([
    [3, "the gateway refuses the device", refuses(2), "--status a", /^MODULE_NOT_SUPPORTED: .*\n$/],
    [3, "it is already connected, with the option that helps", refuses(1, 1_000), "--status a", ALREADY],
    [4, "there is no gateway", "it is stopped", "--status a", /^UNABLE_TO_CONNECT: .*ECONNREFUSED.*\n$/],
    [4, "no command comes in time", SILENT, "--status a --timeout 30", TOO_LATE],
    [5, "the library refuses the status", undefined, "--status-file LARGE", TOO_LARGE],
    [2, "the file cannot be read", undefined, "--status-file /nowhere", UNREADABLE],
    [2, "its module considers the status invalid", undefined, "--decode example --status a", INVALID],
  ])("%i when %s", async (code, _when, cause, options, errors) => {
    const large = temporaryFile();
    writeFileSync(large, "");
    truncateSync(large, 16 * 1024 * 1024);
    const gateway = await openGateway();
    if (cause === "it is stopped") await gateway.stop();
    else if (cause !== undefined) gateway.misbehave(...cause);
    const outcome = await run(lineFor(gateway, options.replace("LARGE", large)));
    expect(outcome).toEqual({ code, output: "", errors: expect.stringMatching(errors) });
    if (code === 2) expect(gateway.connections).toBe(0);
  });

  it("1 when the command cannot be written", async () => {
    const stage = createStage();
    stage.output.failure = new Error("no space left on device");
    const { code, errors } = await run(lineFor(await openGateway(), "--status a"), stage);
    expect(code).toBe(1);
    expect(errors).toBe("a command came, but it cannot be written: no space left on device\n");
  });

  it("and with --json an object on standard output too", async () => {
    const stage = createStage();
    const { code, errors } = await run(lineFor(await openGateway({ modules: [] }), "--status a --json"), stage);
    expect(code).toBe(3);
    const [event, ...others] = eventsOf(stage);
    expect(others).toEqual([]);
    const failure = { code: "MODULE_NOT_SUPPORTED", reason: "refused", family: "connect" };
    expect(event).toMatchObject({ event: "failure", ...failure });
    expect(errors).toBe(`${String(event!["message"])}\n`);
  });
});

describe("send that is interrupted exits with 130 and prints nothing", () => {
  it("while it reads standard input", async () => {
    const gateway = await openGateway();
    const { stage, ended } = start(lineFor(gateway, "-"));
    stage.input.write("half a sta");
    stage.interrupt();
    expect(await ended).toBe(130);
    expect(stage.output.text + stage.errors.text).toBe("");
    expect(gateway.connections).toBe(0);
  });

  it("while it awaits the command", async () => {
    const gateway = await openGateway();
    gateway.misbehave("status", { do: "stay silent" });
    const arrived = gateway.nextStatus();
    const { stage, ended } = start(lineFor(gateway, "--status a"));
    await arrived;
    stage.interrupt();
    expect(await ended).toBe(130);
    expect(stage.output.text + stage.errors.text).toBe("");
  });
});
