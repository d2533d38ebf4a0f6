import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { parse } from "../../lib/cli/command-line.js";
import { retryPauseMs, watch, watchCommand } from "../../lib/cli/watch.js";
import type { TestingGateway } from "../../lib/testing.js";
import { utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { openGateway } from "../support/opened.js";
import { timed } from "../support/timed.js";
import * as surroundings from "./surroundings.js";
import {
  argumentsOf,
  createStage,
  endAll,
  eventsOf,
  keepRunning,
  Paper,
  temporaryFile,
  closes,
  refuses,
  wordsOf,
  type Plan,
  type Running,
  type Stage,
} from "./surroundings.js";

afterEach(endAll);

function lineFor({ port }: TestingGateway, options: string): string {
  const every = options.includes("--every") ? "" : "--every 0.01";
  return `--port ${port} --module 1234 ${every} ${options}`;
}

/** As the command does it. */
function startMain(gateway: TestingGateway, options: string, stage = createStage()): Running {
  return surroundings.start(`watch ${lineFor(gateway, options)}`, stage);
}

/** With JSON lines, and another pause before it connects again. */
function start(gateway: TestingGateway, options: string, pauseMs = (_failures: number) => 5): Running {
  const stage = createStage();
  const given = parse(watchCommand, argumentsOf(lineFor(gateway, `--json ${options}`)));
  return keepRunning(stage, watch(given, stage, pauseMs));
}

/** Each event in a word or two: of a command its kind, and the reason, the code or the time that it tells. */
function toldBy(stage: Stage): string[] {
  return eventsOf(stage).map(({ event, kind, code, reason, afterMs }) => {
    const parts = [kind ?? event, code ?? reason ?? afterMs] as (string | undefined)[];
    return parts.filter((part) => part !== undefined).join(" ");
  });
}

function fileWith(content: string): string {
  const path = temporaryFile();
  writeFileSync(path, content);
  return path;
}

const CLOSED = "drop the gateway closed the connection";
const UNREADABLE = "the gateway's stream cannot be read: it announced a message of length 0";
const FINE = ["connect", "status", "answer"];
const LOST = ["connect", "status", CLOSED, "reconnect", "status"];
const FAILED = "failure UNABLE_TO_CONNECT";
const REFUSED = ["failure DEVICE_ALREADY_CONNECTED", "retry 20"];
const STATUS = { event: "status", bytes: 1, hex: "61", text: "a" };
const ANSWER = { event: "command", kind: "answer", roundTripMs: expect.any(Number), bytes: 1, hex: "61", text: "a" };

describe("watch", () => {
  it("sends a status every --every seconds and shows each answer, until --count is reached", async () => {
    const gateway = await openGateway();
    const { stage, ended } = startMain(gateway, "--status a --count 3 --json");
    const [code, elapsedMs] = await timed(() => ended);
    expect(code).toBe(0);
    expect(elapsedMs).toBeGreaterThanOrEqual(2 * 10);
    expect(eventsOf(stage)).toEqual([{ event: "connect" }, STATUS, ANSWER, STATUS, ANSWER, STATUS, ANSWER]);
    expect(stage.errors.text).toBe("");
    expect(gateway.statuses()).toHaveLength(3);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it.each([
    ["if the output is not a terminal", createStage()],
    ["on a terminal that cannot move its cursor", createStage(new Paper(true, 80, 24), false)],
  ])("writes plain lines %s", async (_when, stage) => {
    await startMain(await openGateway(), "--status 'a\nb' --count 1", stage).ended;
    expect(wordsOf(stage)).toEqual(["connected", expect.stringMatching(/^answer in \d+(\.\d)? ms: "a\\nb"$/)]);
  });

  it("shows one live view on a terminal, and leaves the terminal as it was", async () => {
    const stage = createStage(new Paper(true, 100, 24));
    expect(await startMain(await openGateway(), "--status a --count 8", stage).ended).toBe(0);
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
    const { stage } = start(gateway, "--status a --every 60");
    await eventually(() => expect(toldBy(stage)).toContain("answer"));
    gateway.push(utf8("late"));
    await eventually(() =>
      expect(eventsOf(stage)).toEqual([
        { event: "connect" },
        { event: "command", kind: "push", bytes: 5, hex: "6561726c79", text: "early" },
        STATUS,
        ANSWER,
        { event: "command", kind: "push", bytes: 4, hex: "6c617465", text: "late" },
      ]),
    );
  });

  it.each<[what: string, plan: Plan, count: number, code: number, told: string[]]>([
    ["shows that the connection was lost and is back", closes(1), 1, 0, [...LOST, "answer"]],
    [
      "goes on after a status that failed, if the client can still be used",
      ["status", { do: "send", bytes: new Uint8Array(4) }],
      2,
      0,
      ["connect", "status", `drop ${UNREADABLE}`, "failure COMMAND_INCORRECT", "reconnect", "status", "answer"],
    ],
    ["exits with the code of the last status's error", closes(2), 1, 4, [...LOST, FAILED]],
    [
      "connects again after a pause when its client is destroyed, and sends the status first",
      closes(2),
      2,
      0,
      [...LOST, FAILED, "retry 20", ...FINE, "status", "answer"],
    ],
    ["tries again when the same device is already connected", refuses(1, 2), 1, 0, [...REFUSED, ...REFUSED, ...FINE]],
    ["gives up when its module is not supported", refuses(2), 1, 3, ["failure MODULE_NOT_SUPPORTED"]],
    ["gives up when its type is not supported", refuses(3), 1, 3, ["failure DEVICE_TYPE_NOT_SUPPORTED"]],
  ])("%s", async (_what, plan, count, code, told) => {
    const gateway = await openGateway();
    gateway.misbehave(...plan);
    const { stage, ended } = start(gateway, `--status a --count ${count}`, () => 20);
    expect(await ended).toBe(code);
    expect(toldBy(stage)).toEqual(told);
    const said = told.at(-1)!.replace("failure ", "");
    expect(stage.errors.text).toMatch(code === 0 ? /^$/ : new RegExp(`^${said}: .*\n$`));
  });
});

it.each([
  ["its file cannot be read", "--status-file /nowhere/status", "the status cannot be read"],
  ["its log cannot be written", "--status a --log /nowhere/log", "the log cannot be written"],
])("watch says so at once when %s, and does not connect", async (_what, options, words) => {
  const gateway = await openGateway();
  const { stage, ended } = startMain(gateway, options);
  expect(await ended).toBe(2);
  expect(stage.errors.text).toMatch(new RegExp(`^fleet-internal-client: ${words}: ENOENT: .*\n$`));
  expect(gateway.connections).toBe(0);
});

describe("watch with a file", () => {
  it("reads it again for each status, sends nothing while it cannot be read, and goes on when it is back", async () => {
    const path = fileWith("one");
    const gateway = await openGateway();
    const { stage } = start(gateway, `--status-file ${path}`);
    await eventually(() => expect(toldBy(stage)).toContain("answer"));
    rmSync(path);
    await eventually(() => expect(eventsOf(stage).at(-1)!["message"]).toMatch(/^the status cannot be read: ENOENT/));
    writeFileSync(path, "two");
    await eventually(() => expect(gateway.statuses().at(-1)).toEqual(utf8("two")));
    expect(gateway.statuses()[0]).toEqual(utf8("one"));
    expect(gateway.connections).toBe(1);
  });

  (process.platform === "win32" ? it.skip : it)("takes each status that is written to a FIFO", async () => {
    const path = temporaryFile();
    execFileSync("sh", ["-c", 'mkfifo "$0"', path]);
    const gateway = await openGateway();
    const { stage, ended } = start(gateway, `--status-file ${path} --count 2`);
    await appendFile(path, "one");
    await eventually(() => expect(gateway.statuses()).toEqual([utf8("one")]));
    await appendFile(path, "two");
    expect(await ended).toBe(0);
    expect(gateway.statuses()).toEqual([utf8("one"), utf8("two")]);
    expect(stage.errors.text).toBe("");
  });
});

describe("watch with a log", () => {
  it("appends all that happens, with the day and the statuses", async () => {
    const path = fileWith("before\n");
    const stage = createStage(new Paper(true, 80, 24));
    await startMain(await openGateway(), `--status a --count 1 --log ${path}`, stage).ended;
    const day = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}`;
    const lines = ["connected", 'status: "a"', String.raw`answer in .* ms: "a"`].map((words) => `${day} ${words}\n`);
    expect(readFileSync(path, "utf8")).toMatch(new RegExp(`^before\n${lines.join("")}$`));
  });

  it("has JSON lines with --json, as they are shown", async () => {
    const path = temporaryFile();
    const { stage, ended } = start(await openGateway(), `--status a --count 1 --log ${path}`);
    await ended;
    expect(readFileSync(path, "utf8")).not.toBe("");
    const withoutTimes = (text: string) => text.replace(/"time":"[^"]*"/g, "");
    expect(withoutTimes(readFileSync(path, "utf8"))).toBe(withoutTimes(stage.output.text));
  });

  it("has what nobody read on the output", async () => {
    const path = temporaryFile();
    const stage = createStage();
    stage.output.writableLength = 2 * 1024 * 1024;
    await startMain(await openGateway(), `--status a --count 2 --log ${path}`, stage).ended;
    expect(stage.output.text).toBe("");
    expect(readFileSync(path, "utf8").match(/answer in/g)).toHaveLength(2);
  });

  (process.platform === "linux" ? it : it.skip)("ends with 1 in one line when the disk is full", async () => {
    const gateway = await openGateway();
    const { stage, ended } = startMain(gateway, "--status a --log /dev/full");
    expect(await ended).toBe(1);
    expect(stage.errors.text).toMatch(/^the log cannot be written: ENOSPC: .*\n$/);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });
});

it.each([
  ["", (stage: Stage) => wordsOf(stage)[0], /^\((\d+) events that nobody read are left out\)$/],
  ["--json", (stage: Stage) => JSON.stringify(eventsOf(stage)[0]), /^\{"event":"lost","events":(\d+)\}$/],
])("watch that nobody reads says how many events it left out, when somebody does again: %s", async (...row) => {
  const [options, seen, words] = row;
  const gateway = await openGateway();
  const { stage } = startMain(gateway, `--status a ${options}`);
  await eventually(() => expect(stage.output.text).toContain("answer"));
  stage.output.writableLength = 2 * 1024 * 1024;
  stage.output.taken();
  const sent = gateway.statuses().length;
  await eventually(() => expect(gateway.statuses().length).toBeGreaterThan(sent + 5));
  expect(stage.output.text).toBe("");
  stage.output.writableLength = 0;
  await eventually(() => expect(seen(stage)).toMatch(words));
  expect(Number(words.exec(seen(stage)!)![1])).toBeGreaterThan(4);
});

it("watch of a known module shows what its commands mean, and sends no status that it considers invalid", async () => {
  const path = fileWith('{"pressed":true}');
  const gateway = await openGateway();
  const { stage } = startMain(gateway, `--decode example --status-file ${path}`);
  const answer = /^answer in .* ms: \{ "pressed": true \} \(no command of example/;
  await eventually(() => expect(wordsOf(stage)[1]).toMatch(answer));
  writeFileSync(path, '{"pressed":1}');
  const refusal = /^not sent: the module example considers this status/;
  await eventually(() => expect(wordsOf(stage).at(-1)).toMatch(refusal));
  const statuses = gateway.statuses().map((status) => Buffer.from(status).toString());
  expect([...new Set(statuses)]).toEqual(['{"pressed": true}']);
});

describe("watch whose client is destroyed", () => {
  it("waits for a gateway that is not there yet", async () => {
    const gateway = await openGateway();
    await gateway.stop();
    const { stage, ended } = start(gateway, "--status a --count 1");
    await eventually(() => expect(toldBy(stage)).toContain("retry 5"));
    await openGateway({ port: gateway.port });
    expect(await ended).toBe(0);
    expect(toldBy(stage).slice(0, 2)).toEqual([FAILED, "retry 5"]);
    expect(toldBy(stage).slice(-3)).toEqual(FINE);
  });

  it("gives up when the library refuses the status", async () => {
    const path = fileWith("");
    truncateSync(path, 16 * 1024 * 1024);
    const { stage, ended } = start(await openGateway(), `--status-file ${path} --timeout 5000`);
    expect(await ended).toBe(5);
    expect(stage.errors.text).toMatch(/^NOT_OK: status is too large/);
  });

  it("pauses for twice as long each time, up to 30 seconds", () => {
    const pauses = [1, 2, 3, 4, 5, 6, 1_000, 2_000].map(retryPauseMs);
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it("pauses for the shortest time again once a status was answered", async () => {
    const gateway = await openGateway();
    gateway.misbehave(...refuses(1, 2));
    gateway.misbehave("status", { do: "delay", ms: 0 });
    gateway.misbehave(...closes(2));
    const pauseMs = jest.fn((_failures: number) => 1);
    const { ended } = start(gateway, "--status a --count 3", pauseMs);
    expect(await ended).toBe(0);
    expect(pauseMs.mock.calls).toEqual([[1], [2], [1]]);
  });
});

it.each<[when: string, plan: (gateway: TestingGateway) => unknown, shown: string[]]>([
  ["waits for the time of the next status", () => undefined, FINE],
  ["awaits a command", ({ misbehave }) => misbehave("status", { do: "stay silent" }), ["connect", "status"]],
  ["connects", ({ misbehave }) => misbehave("connect", { do: "stay silent" }), []],
  ["pauses before it connects again", ({ stop }) => stop(), [FAILED, "retry 3600000"]],
])("watch that is interrupted exits with 0, at once and silently, while it %s", async (_when, plan, shown) => {
  const gateway = await openGateway();
  await plan(gateway);
  const arrived = shown.length === 0 ? gateway.nextConnect() : undefined;
  const { stage, ended } = start(gateway, "--status a --every 3600", () => 3_600_000);
  await arrived;
  await eventually(() => expect(toldBy(stage)).toEqual(shown));
  stage.interrupt();
  expect(await ended).toBe(0);
  expect(toldBy(stage)).toEqual(shown);
  expect(stage.errors.text).toBe("");
  await eventually(() => expect(gateway.openSockets).toBe(0));
});
