import { truncateSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "@jest/globals";
import { main } from "../../lib/cli/main.js";
import type { TestingGateway } from "../../lib/testing.js";
import { fromHex, utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { endAll, openGateway } from "../support/opened.js";
import { createStage, eventsOf, Paper, type Stage } from "./surroundings.js";
import { removeTemporaryFiles, temporaryFile } from "./temporary-file.js";

afterEach(async () => {
  await endAll();
  removeTemporaryFiles();
});

function send(gateway: TestingGateway, args: string[], stage: Stage): Promise<number> {
  return main(["send", "--port", gateway.port.toString(), "--module", "1234", ...args], stage, "1.2.3");
}

async function sent(gateway: TestingGateway, ...args: string[]) {
  const stage = createStage();
  const code = await send(gateway, args, stage);
  return { code, output: stage.output.text, errors: stage.errors.text };
}

describe("send", () => {
  it("prints the command that answers the status, and nothing else", async () => {
    const gateway = await openGateway({ answer: () => utf8('{"lit_up":true}') });
    expect(await sent(gateway, "--status", "pressed")).toEqual({ code: 0, output: '{"lit_up":true}\n', errors: "" });
    expect(gateway.statuses()).toEqual([utf8("pressed")]);
  });

  it("leaves no connection", async () => {
    const gateway = await openGateway();
    await sent(gateway, "--status", "a");
    expect(gateway.connections).toBe(1);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it("is the device that the options say", async () => {
    const gateway = await openGateway();
    const device = "--type 4 --role left_button --name b1 --priority 7 --timeout 9000.5 --connect-timeout 9000".split(
      " ",
    );
    expect((await sent(gateway, "--status", "a", ...device)).code).toBe(0);
    expect(gateway.received[0]!.device).toEqual({
      module: 1234,
      deviceType: 4,
      deviceRole: "left_button",
      deviceName: "b1",
      priority: 7,
    });
  });

  it("is by default a device that cannot be mistaken for a real one", async () => {
    const gateway = await openGateway();
    await sent(gateway, "--status", "a");
    expect(gateway.received[0]!.device).toEqual({
      module: 1234,
      deviceType: 0,
      deviceRole: "command_line_send",
      deviceName: "command_line_send",
      priority: 0,
    });
  });

  it("takes the status from a file, unchanged", async () => {
    const path = temporaryFile();
    writeFileSync(path, fromHex("00ff0a"));
    const gateway = await openGateway();
    expect(await sent(gateway, "--status-file", path)).toEqual({ code: 0, output: "hex 00ff0a\n", errors: "" });
  });

  it("takes the status as hex", async () => {
    const gateway = await openGateway();
    expect((await sent(gateway, "--status-hex", "61 62\n6C")).output).toBe("abl\n");
  });

  it("takes an empty status, and prints an empty command as an empty line", async () => {
    const gateway = await openGateway();
    expect(await sent(gateway, "--status", "")).toEqual({ code: 0, output: "\n", errors: "" });
  });

  it("takes the status from standard input with -", async () => {
    const gateway = await openGateway();
    const stage = createStage();
    stage.input.write("hel");
    stage.input.end("lo");
    expect(await send(gateway, ["-"], stage)).toBe(0);
    expect(stage.output.text).toBe("hello\n");
  });

  it("prints the command as hex with --hex", async () => {
    const gateway = await openGateway();
    expect((await sent(gateway, "--status", "ab", "--hex")).output).toBe("6162\n");
  });

  it("prints JSON over several lines at a terminal", async () => {
    const gateway = await openGateway();
    const stage = createStage(new Paper(true, 80, 24));
    await send(gateway, ["--status", '{"a":1}'], stage);
    expect(stage.output.text).toBe('{\n  "a": 1\n}\n');
  });

  it("sends a known module's status as that module spells it, and shows what its command means", async () => {
    const gateway = await openGateway({ modules: [1000] });
    const stage = createStage();
    const line = ["send", "--port", gateway.port.toString(), "--module", "1000", "--json"];
    expect(await main([...line, "--status", '{"pressed":true}'], stage, "1.2.3")).toBe(0);
    expect(gateway.statuses()).toEqual([utf8('{"pressed": true}')]);
    expect(eventsOf(stage)[0]).toMatchObject({ text: '{"lit_up": false}', value: { lit_up: false } });
  });

  it("works beside a watch of the same module", async () => {
    const gateway = await openGateway();
    const watching = createStage();
    const args = ["--port", gateway.port.toString(), "--module", "1234", "--status", "a"];
    const ended = main(["watch", ...args], watching, "1.2.3");
    await eventually(() => expect(watching.output.text).toContain("answer"));
    expect((await sent(gateway, "--status", "b")).code).toBe(0);
    watching.interrupt();
    expect(await ended).toBe(0);
  });

  it("prints one JSON object with --json", async () => {
    const gateway = await openGateway();
    const stage = createStage();
    await send(gateway, ["--status", "ab", "--json"], stage);
    const [event, ...others] = eventsOf(stage);
    expect(others).toEqual([]);
    expect(event).toEqual({
      event: "command",
      kind: "answer",
      roundTripMs: expect.any(Number),
      bytes: 2,
      hex: "6162",
      text: "ab",
    });
  });
});

describe("send fails with one line, and an exit code that says who caused it:", () => {
  it("3 when the gateway refuses the device", async () => {
    const gateway = await openGateway({ modules: [] });
    const { code, output, errors } = await sent(gateway, "--status", "a");
    expect({ code, output }).toEqual({ code: 3, output: "" });
    expect(errors).toMatch(/^MODULE_NOT_SUPPORTED: .*\n$/);
  });

  it("3 when it is already connected, with the option that helps", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "refuse", responseType: 1 }, { times: 1_000 });
    const { code, errors } = await sent(gateway, "--status", "a");
    expect(code).toBe(3);
    expect(errors).toMatch(/^DEVICE_ALREADY_CONNECTED: .*--role gives this one a role of its own\.\n$/);
  });

  it("2 when its module considers the status invalid, and nothing is sent", async () => {
    const gateway = await openGateway();
    const stage = createStage();
    const line = ["send", "--port", gateway.port.toString(), "--module", "1000", "--status", "a"];
    expect(await main(line, stage, "1.2.3")).toBe(2);
    expect(stage.errors.text).toMatch(
      /^fleet-internal-client: the module example considers this status invalid: .*\n$/,
    );
    expect(gateway.connections).toBe(0);
  });

  it("1 when the command cannot be written", async () => {
    const gateway = await openGateway();
    const stage = createStage();
    stage.output.failure = new Error("no space left on device");
    expect(await send(gateway, ["--status", "a"], stage)).toBe(1);
    expect(stage.errors.text).toBe("a command came, but it cannot be written: no space left on device\n");
  });

  it("and with --json an object on standard output too", async () => {
    const gateway = await openGateway({ modules: [] });
    const stage = createStage();
    expect(await send(gateway, ["--status", "a", "--json"], stage)).toBe(3);
    const [event, ...others] = eventsOf(stage);
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      event: "failure",
      code: "MODULE_NOT_SUPPORTED",
      reason: "refused",
      family: "connect",
    });
    expect(stage.errors.text).toBe(`${String(event!["message"])}\n`);
  });

  it("4 when there is no gateway", async () => {
    const gateway = await openGateway();
    await gateway.stop();
    const { code, errors } = await sent(gateway, "--status", "a");
    expect(code).toBe(4);
    expect(errors).toMatch(/^UNABLE_TO_CONNECT: .*ECONNREFUSED.*\n$/);
  });

  it("4 when no command comes in time", async () => {
    const gateway = await openGateway();
    gateway.misbehave("status", { do: "stay silent" }, { times: 2 });
    const { code, errors } = await sent(gateway, "--status", "a", "--timeout", "30");
    expect(code).toBe(4);
    expect(errors).toMatch(/^TIMEOUT_OCCURRED: no command came within 30 ms.*\n$/);
  });

  it("5 when the library refuses the status", async () => {
    const path = temporaryFile();
    writeFileSync(path, "");
    truncateSync(path, 16 * 1024 * 1024);
    const { code, errors } = await sent(await openGateway(), "--status-file", path);
    expect(code).toBe(5);
    expect(errors).toMatch(/^NOT_OK: status makes a message of \d+ bytes, above the limit of .*\n$/);
  });

  it("2 when the file cannot be read, and nothing is sent", async () => {
    const gateway = await openGateway();
    const path = temporaryFile();
    expect(await sent(gateway, "--status-file", path)).toEqual({
      code: 2,
      output: "",
      errors: `fleet-internal-client: the status cannot be read: ENOENT: no such file or directory, open '${path}'\n`,
    });
    expect(gateway.connections).toBe(0);
  });
});

describe("send that is interrupted exits with 130 and prints nothing", () => {
  it("while it reads standard input", async () => {
    const gateway = await openGateway();
    const stage = createStage();
    const ended = send(gateway, ["-"], stage);
    stage.input.write("half a sta");
    stage.interrupt();
    expect(await ended).toBe(130);
    expect(stage.output.text + stage.errors.text).toBe("");
    expect(gateway.connections).toBe(0);
  });

  it("while it awaits the command, and the connection is closed", async () => {
    const gateway = await openGateway();
    gateway.misbehave("status", { do: "stay silent" });
    const stage = createStage();
    const arrived = gateway.nextStatus();
    const ended = send(gateway, ["--status", "a"], stage);
    await arrived;
    stage.interrupt();
    expect(await ended).toBe(130);
    expect(stage.output.text + stage.errors.text).toBe("");
  });
});
