import { truncateSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "@jest/globals";
import { main } from "../../lib/cli/main.js";
import type { TestingGateway } from "../../lib/testing.js";
import { fromHex, utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { endAll, openGateway } from "../support/opened.js";
import { createStage, eventsOf, type Stage } from "./surroundings.js";
import { removeTemporaryFiles, temporaryFile } from "./temporary-file.js";

afterEach(async () => {
  await endAll();
  removeTemporaryFiles();
});

function send(gateway: TestingGateway, args: string[], stage: Stage): Promise<number> {
  return main(["send", "--port", gateway.port.toString(), "--module", "1000", ...args], stage, "1.2.3");
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
    const device = "--type 4 --role left_button --name b1 --priority 7 --timeout 900.5 --connect-timeout 900".split(
      " ",
    );
    expect((await sent(gateway, "--status", "a", ...device)).code).toBe(0);
    expect(gateway.received[0]!.device).toEqual({
      module: 1000,
      deviceType: 4,
      deviceRole: "left_button",
      deviceName: "b1",
      priority: 7,
    });
  });

  it("is a device that nobody takes for a real one, unless told otherwise", async () => {
    const gateway = await openGateway();
    await sent(gateway, "--status", "a");
    expect(gateway.received[0]!.device).toEqual({
      module: 1000,
      deviceType: 0,
      deviceRole: "command_line",
      deviceName: "command_line",
      priority: 0,
    });
  });

  it("takes the status from a file, byte by byte as it is", async () => {
    const path = temporaryFile();
    writeFileSync(path, fromHex("00ff0a"));
    const gateway = await openGateway();
    expect(await sent(gateway, "--status-file", path)).toEqual({ code: 0, output: "00ff0a\n", errors: "" });
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

describe("send fails with one line, and an exit code for whose doing it is:", () => {
  it("3 when the gateway refuses the device", async () => {
    const gateway = await openGateway({ modules: [] });
    const { code, output, errors } = await sent(gateway, "--status", "a");
    expect({ code, output }).toEqual({ code: 3, output: "" });
    expect(errors).toMatch(/^MODULE_NOT_SUPPORTED: .*\n$/);
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
    expect(errors).toMatch(/^NOT_OK: status makes a message of \d+ bytes, above the maxMessageBytes.*\n$/);
  });

  it("2 when the file cannot be read, and the gateway hears nothing of it", async () => {
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

describe("send that is interrupted gives 130 and prints nothing", () => {
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
