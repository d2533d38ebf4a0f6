import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { parse } from "../../lib/cli/command-line.js";
import { main } from "../../lib/cli/main.js";
import { retryPauseMs, watch, watchCommand } from "../../lib/cli/watch.js";
import type { TestingGateway } from "../../lib/testing.js";
import { utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { endAll, openGateway } from "../support/opened.js";
import { timed } from "../support/timed.js";
import { createStage, eventsOf, Paper, wordsOf, type Stage } from "./surroundings.js";
import { removeTemporaryFiles, temporaryFile } from "./temporary-file.js";

const stages: Stage[] = [];
const running: Promise<number>[] = [];

afterEach(async () => {
  for (const stage of stages.splice(0)) stage.interrupt();
  await Promise.all(running.splice(0));
  await endAll();
  removeTemporaryFiles();
});

interface Watched {
  readonly stage: Stage;
  readonly ended: Promise<number>;
}

function lineFor(gateway: TestingGateway, args: readonly string[]): string[] {
  const every = args.includes("--every") ? [] : ["--every", "0.01"];
  return ["--port", gateway.port.toString(), "--module", "1234", ...every, ...args];
}

function started(stage: Stage, ended: Promise<number>): Watched {
  stages.push(stage);
  running.push(ended);
  return { stage, ended };
}

/** As the command does it. */
function startMain(gateway: TestingGateway, args: readonly string[], stage = createStage()): Watched {
  return started(stage, main(["watch", ...lineFor(gateway, args)], stage, "1.2.3"));
}

/** With JSON lines, and another pause before it connects again. */
function start(gateway: TestingGateway, args: readonly string[], pauseMs = 5): Watched {
  const stage = createStage();
  const given = parse(watchCommand, lineFor(gateway, ["--json", ...args]));
  return started(
    stage,
    watch(given, stage, () => pauseMs),
  );
}

function kindsOf(stage: Stage) {
  return eventsOf(stage).map(({ event, kind }) => kind ?? event);
}

const STATUS = { event: "status", bytes: 1, hex: "61", text: "a" };
const ANSWER = { event: "command", kind: "answer", roundTripMs: expect.any(Number), bytes: 1, hex: "61", text: "a" };

describe("watch", () => {
  it("sends a status again and again and shows each answer, until --count is reached", async () => {
    const gateway = await openGateway();
    const { stage, ended } = startMain(gateway, ["--status", "a", "--count", "3", "--json"]);
    expect(await ended).toBe(0);
    expect(eventsOf(stage)).toEqual([{ event: "connect" }, STATUS, ANSWER, STATUS, ANSWER, STATUS, ANSWER]);
    expect(stage.errors.text).toBe("");
    expect(gateway.statuses()).toHaveLength(3);
  });

  it("waits for --every seconds from one status to the next", async () => {
    const gateway = await openGateway();
    const [, elapsedMs] = await timed(() => startMain(gateway, ["--status", "a", "--count", "3"]).ended);
    expect(elapsedMs).toBeGreaterThanOrEqual(2 * 10);
  });

  it("writes plain lines if the output is not a terminal", async () => {
    const gateway = await openGateway();
    const { stage, ended } = startMain(gateway, ["--status", "a\nb", "--count", "1"]);
    await ended;
    expect(wordsOf(stage)).toEqual(["connected", expect.stringMatching(/^answer in \d+(\.\d)? ms: "a\\nb"$/)]);
  });

  it("writes plain lines on a terminal that cannot move its cursor", async () => {
    const gateway = await openGateway();
    const stage = createStage(new Paper(true, 80, 24), false);
    await startMain(gateway, ["--status", "a", "--count", "1", "--hex"], stage).ended;
    expect(wordsOf(stage)).toEqual(["connected", expect.stringMatching(/^answer in .* ms: hex 61$/)]);
  });

  it("shows one live view on a terminal, and leaves the terminal as it was", async () => {
    const gateway = await openGateway();
    const stage = createStage(new Paper(true, 100, 24));
    const { ended } = startMain(gateway, ["--status", "a", "--count", "8"], stage);
    expect(await ended).toBe(0);
    const [before, ...pictures] = stage.output.text.split("\x1b[H");
    expect(before).toBe("\x1b[?1049h\x1b[?25l\x1b[?7l");
    expect(pictures.length).toBeGreaterThanOrEqual(1);
    const left = stage.output.text.split("\x1b[?7h\x1b[?25h\x1b[?1049l")[1]!;
    expect(left).toMatch(/^\d\d:.* connected\n\d\d:.* answer in /);
    expect(left).toContain('device      "command_line_watch" (module 1234, ');
    expect(left).toContain("statuses    8 sent, one every 0.01 s; failures 0\ncommands    answers 8, pushes 0\n");
  });

  it("shows what the gateway pushes, also right after its connect response", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "merge", with: utf8("early") });
    const { stage, ended } = start(gateway, ["--status", "a", "--every", "60"]);
    await eventually(() => expect(kindsOf(stage)).toContain("answer"));
    gateway.push(utf8("late"));
    await eventually(() => expect(eventsOf(stage)).toHaveLength(5));
    stage.interrupt();
    expect(await ended).toBe(0);
    expect(eventsOf(stage)).toEqual([
      { event: "connect" },
      { event: "command", kind: "push", bytes: 5, hex: "6561726c79", text: "early" },
      STATUS,
      ANSWER,
      { event: "command", kind: "push", bytes: 4, hex: "6c617465", text: "late" },
    ]);
  });

  it("shows that the connection was lost and is back", async () => {
    const gateway = await openGateway();
    gateway.misbehave("status", { do: "close" });
    const { stage, ended } = start(gateway, ["--status", "a", "--count", "1"]);
    expect(await ended).toBe(0);
    expect(eventsOf(stage)).toEqual([
      { event: "connect" },
      STATUS,
      { event: "drop", reason: "the gateway closed the connection" },
      { event: "reconnect" },
      STATUS,
      ANSWER,
    ]);
  });

  it("goes on after a status that failed, if the client lives", async () => {
    const gateway = await openGateway();
    gateway.misbehave("status", { do: "send", bytes: Uint8Array.of(0, 0, 0, 0) });
    const { stage, ended } = start(gateway, ["--status", "a", "--count", "2"]);
    expect(await ended).toBe(0);
    expect(eventsOf(stage)[3]).toMatchObject({
      event: "failure",
      code: "COMMAND_INCORRECT",
      returnCode: -19,
      family: "communication",
    });
    expect(kindsOf(stage)).toEqual(["connect", "status", "drop", "failure", "reconnect", "status", "answer"]);
  });

  it("exits with the code of the last status's error when --count ends it", async () => {
    const gateway = await openGateway();
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    const { stage, ended } = start(gateway, ["--status", "a", "--count", "1"]);
    expect(await ended).toBe(4);
    expect(stage.errors.text).toMatch(/^UNABLE_TO_CONNECT: .*\n$/);
  });

  it("leaves no connection behind", async () => {
    const gateway = await openGateway();
    await start(gateway, ["--status", "a", "--count", "1"]).ended;
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });
});

describe("watch with a file", () => {
  it("reads it again for each status", async () => {
    const path = temporaryFile();
    writeFileSync(path, "one");
    const gateway = await openGateway();
    start(gateway, ["--status-file", path]);
    await eventually(() => expect(gateway.statuses()).toContainEqual(utf8("one")));
    writeFileSync(path, "two");
    await eventually(() => expect(gateway.statuses().at(-1)).toEqual(utf8("two")));
  });

  it("says so at once when it cannot be read, and does not connect", async () => {
    const gateway = await openGateway();
    const { stage, ended } = startMain(gateway, ["--status-file", temporaryFile()]);
    expect(await ended).toBe(2);
    expect(stage.errors.text).toMatch(/^fleet-internal-client: the status cannot be read: ENOENT: .*\n$/);
    expect(gateway.connections).toBe(0);
  });

  (process.platform === "win32" ? it.skip : it)("takes each status that is written to a FIFO", async () => {
    const path = temporaryFile();
    execFileSync("sh", ["-c", 'mkfifo "$0"', path]);
    const gateway = await openGateway();
    const { stage, ended } = start(gateway, ["--status-file", path, "--count", "2"]);
    await appendFile(path, "one");
    await eventually(() => expect(gateway.statuses()).toEqual([utf8("one")]));
    await appendFile(path, "two");
    expect(await ended).toBe(0);
    expect(gateway.statuses()).toEqual([utf8("one"), utf8("two")]);
    expect(stage.errors.text).toBe("");
  });

  it("sends nothing while it cannot be read, and goes on when it is back", async () => {
    const path = temporaryFile();
    writeFileSync(path, "one");
    const gateway = await openGateway();
    const { stage } = start(gateway, ["--status-file", path]);
    await eventually(() => expect(kindsOf(stage)).toContain("answer"));
    rmSync(path);
    await eventually(() => expect(eventsOf(stage).at(-1)!["message"]).toMatch(/^the status cannot be read: ENOENT/));
    writeFileSync(path, "two");
    await eventually(() => expect(gateway.statuses().at(-1)).toEqual(utf8("two")));
    expect(gateway.connections).toBe(1);
  });
});

describe("watch with a log", () => {
  it("appends all that happens, with the day and the statuses", async () => {
    const path = temporaryFile();
    writeFileSync(path, "before\n");
    const gateway = await openGateway();
    const stage = createStage(new Paper(true, 80, 24));
    await startMain(gateway, ["--status", "a", "--count", "1", "--log", path], stage).ended;
    const day = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}`;
    const lines = ["connected", 'status: "a"', String.raw`answer in .* ms: "a"`].map((words) => `${day} ${words}\n`);
    expect(readFileSync(path, "utf8")).toMatch(new RegExp(`^before\n${lines.join("")}$`));
  });

  it("has JSON lines with --json, as they are shown", async () => {
    const path = temporaryFile();
    const gateway = await openGateway();
    const { stage, ended } = start(gateway, ["--status", "a", "--count", "1", "--log", path]);
    await ended;
    expect(readFileSync(path, "utf8")).not.toBe("");
    const withoutTimes = (text: string) => text.replace(/"time":"[^"]*"/g, "");
    expect(withoutTimes(readFileSync(path, "utf8"))).toBe(withoutTimes(stage.output.text));
  });

  it("has what nobody read on the output", async () => {
    const path = temporaryFile();
    const gateway = await openGateway();
    const stage = createStage();
    stage.output.writableLength = 2 * 1024 * 1024;
    await startMain(gateway, ["--status", "a", "--count", "2", "--log", path], stage).ended;
    expect(stage.output.text).toBe("");
    expect(readFileSync(path, "utf8").match(/answer in/g)).toHaveLength(2);
  });

  it("says so at once when it cannot be written, and does not connect", async () => {
    const gateway = await openGateway();
    const { stage, ended } = startMain(gateway, ["--status", "a", "--log", `${temporaryFile()}/log`]);
    expect(await ended).toBe(2);
    expect(stage.errors.text).toMatch(/^fleet-internal-client: the log cannot be written: ENOENT: .*\n$/);
    expect(gateway.connections).toBe(0);
  });

  (process.platform === "linux" ? it : it.skip)("ends with 1 in one line when the disk is full", async () => {
    const gateway = await openGateway();
    const { stage, ended } = startMain(gateway, ["--status", "a", "--log", "/dev/full"]);
    expect(await ended).toBe(1);
    expect(stage.errors.text).toMatch(/^the log cannot be written: ENOSPC: .*\n$/);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });
});

describe("watch that nobody reads", () => {
  it("says how many events it left out, when somebody does again", async () => {
    const gateway = await openGateway();
    const { stage } = start(gateway, ["--status", "a"]);
    await eventually(() => expect(kindsOf(stage)).toContain("answer"));
    stage.output.writableLength = 2 * 1024 * 1024;
    stage.output.taken();
    const sent = gateway.statuses().length;
    await eventually(() => expect(gateway.statuses().length).toBeGreaterThan(sent + 5));
    expect(stage.output.text).toBe("");
    stage.output.writableLength = 0;
    await eventually(() => expect(kindsOf(stage)[0]).toBe("lost"));
    expect(eventsOf(stage)[0]!["events"]).toBeGreaterThan(5);
  });

  it("says so in words if it writes words", async () => {
    const gateway = await openGateway();
    const { stage } = startMain(gateway, ["--status", "a"]);
    stage.output.writableLength = 2 * 1024 * 1024;
    await eventually(() => expect(gateway.statuses().length).toBeGreaterThan(5));
    stage.output.writableLength = 0;
    await eventually(() => expect(wordsOf(stage)[0]).toMatch(/^\(\d+ events that nobody read are left out\)$/));
  });
});

describe("watch of a known module", () => {
  it("shows what its commands mean, and sends no status that the module considers invalid", async () => {
    const path = temporaryFile();
    writeFileSync(path, '{"pressed":true}');
    const gateway = await openGateway({ modules: [1000] });
    const stage = createStage();
    const line = ["watch", "--port", gateway.port.toString(), "--module", "1000", "--every", "0.01"];
    started(stage, main([...line, "--status-file", path], stage, "1.2.3"));
    await eventually(() => expect(wordsOf(stage)[1]).toMatch(/^answer in .* ms: \{ "lit_up": false \}$/));
    writeFileSync(path, '{"pressed":1}');
    await eventually(() =>
      expect(wordsOf(stage).at(-1)).toMatch(/^not sent: the module example considers this status/),
    );
    expect(new Set(gateway.statuses().map((status) => Buffer.from(status).toString()))).toEqual(
      new Set(['{"pressed": true}']),
    );
  });
});

describe("watch whose client is destroyed", () => {
  it("says so and connects again after a pause", async () => {
    const gateway = await openGateway();
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    const { stage, ended } = start(gateway, ["--status", "a", "--count", "2"], 20);
    expect(await ended).toBe(0);
    // The status goes out twice, as any does; then a client connects again and sends it first.
    const lost = ["connect", "status", "drop", "reconnect", "status", "failure", "retry"];
    expect(kindsOf(stage)).toEqual([...lost, "connect", "status", "answer", "status", "answer"]);
    expect(eventsOf(stage)[6]).toEqual({ event: "retry", afterMs: 20 });
  });

  it("waits for a gateway that is not there yet", async () => {
    const gateway = await openGateway();
    await gateway.stop();
    const { stage, ended } = start(gateway, ["--status", "a", "--count", "1"]);
    await eventually(() => expect(kindsOf(stage)).toContain("retry"));
    await openGateway({ port: gateway.port });
    expect(await ended).toBe(0);
    expect(kindsOf(stage).slice(0, 2)).toEqual(["failure", "retry"]);
    expect(eventsOf(stage)[0]).toMatchObject({ code: "UNABLE_TO_CONNECT", family: "communication" });
    expect(kindsOf(stage).slice(-3)).toEqual(["connect", "status", "answer"]);
  });

  it("tries again when the same device is already connected", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "refuse", responseType: 1 }, { times: 2 });
    const { stage, ended } = start(gateway, ["--status", "a", "--count", "1"]);
    expect(await ended).toBe(0);
    expect(kindsOf(stage)).toEqual(["failure", "retry", "failure", "retry", "connect", "status", "answer"]);
  });

  it.each([
    [2, "MODULE_NOT_SUPPORTED"],
    [3, "DEVICE_TYPE_NOT_SUPPORTED"],
  ])("gives up on a refusal that will not change: response type %i", async (responseType, code) => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "refuse", responseType });
    const { stage, ended } = start(gateway, ["--status", "a"]);
    expect(await ended).toBe(3);
    expect(eventsOf(stage)).toEqual([expect.objectContaining({ event: "failure", code })]);
    expect(stage.errors.text).toMatch(new RegExp(`^${code}: .*\n$`));
    expect(gateway.connections).toBe(1);
  });

  it("gives up when the library refuses the status", async () => {
    const path = temporaryFile();
    writeFileSync(path, "");
    truncateSync(path, 16 * 1024 * 1024);
    const { stage, ended } = start(await openGateway(), ["--status-file", path, "--timeout", "5000"]);
    expect(await ended).toBe(5);
    expect(stage.errors.text).toMatch(/^NOT_OK: status makes a message of/);
  });

  it("pauses for twice as long each time, up to 30 seconds", () => {
    expect([1, 2, 3, 4, 5, 6, 1_000, 2_000].map(retryPauseMs)).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
    ]);
  });

  it("pauses for the shortest time again once a status was answered", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "refuse", responseType: 1 }, { times: 2 });
    gateway.misbehave("status", { do: "delay", ms: 0 });
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    const stage = createStage();
    const counted: number[] = [];
    const pauseMs = (failures: number): number => {
      counted.push(failures);
      return 1;
    };
    const given = parse(watchCommand, lineFor(gateway, ["--status", "a", "--count", "3"]));
    expect(await started(stage, watch(given, stage, pauseMs)).ended).toBe(0);
    expect(counted).toEqual([1, 2, 1]);
  });
});

describe("watch that is interrupted exits with 0, at once and silently", () => {
  it("while it waits for the time of the next status", async () => {
    const gateway = await openGateway();
    const { stage, ended } = start(gateway, ["--status", "a", "--every", "3600"]);
    await eventually(() => expect(kindsOf(stage)).toEqual(["connect", "status", "answer"]));
    stage.interrupt();
    expect(await ended).toBe(0);
    expect(kindsOf(stage)).toEqual(["connect", "status", "answer"]);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it("while it awaits a command", async () => {
    const gateway = await openGateway();
    gateway.misbehave("status", { do: "stay silent" });
    const arrived = gateway.nextStatus();
    const { stage, ended } = start(gateway, ["--status", "a"]);
    await arrived;
    stage.interrupt();
    expect(await ended).toBe(0);
    expect(kindsOf(stage)).toEqual(["connect", "status"]);
    expect(stage.errors.text).toBe("");
  });

  it("while it connects", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "stay silent" });
    const arrived = gateway.nextConnect();
    const { stage, ended } = start(gateway, ["--status", "a"]);
    await arrived;
    stage.interrupt();
    expect(await ended).toBe(0);
    expect(stage.output.text + stage.errors.text).toBe("");
  });

  it("while it pauses before it connects again", async () => {
    const gateway = await openGateway();
    await gateway.stop();
    const { stage, ended } = start(gateway, ["--status", "a"], 3_600_000);
    await eventually(() => expect(kindsOf(stage)).toEqual(["failure", "retry"]));
    stage.interrupt();
    expect(await ended).toBe(0);
    expect(stage.errors.text).toBe("");
  });
});
