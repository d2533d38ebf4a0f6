import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { TestingGateway } from "../../lib/testing.js";
import { eventually } from "../support/eventually.js";
import { endAll, openGateway } from "../support/opened.js";
import { endPrograms, startProgram, type Program } from "../support/program.js";

interface Exit {
  readonly code: number | null;
  readonly elapsedMs: number;
  readonly said: { readonly done: boolean; readonly left: readonly string[] };
  readonly complaints: string;
}

/** What the process's output takes, and the files that it was loaded from, which Node from 22 on closes in the background. */
const NOT_OF_A_CLIENT = [
  ...["PipeWrap", "TTYWrap", "SimpleWriteWrap", "WriteWrap"],
  ...["FSReqCallback", "FSReqPromise", "FileHandle", "FileHandleCloseReq", "CloseReq"],
];

/** Runs the scenario as a process of its own, which has to end by itself. */
async function run(scenario: string, { port }: { readonly port: number }): Promise<Exit> {
  const script = ["--import", "tsx", "spec/support/exit-scenarios.ts", scenario, `${port}`];
  const begun = performance.now();
  const child = spawn(process.execPath, script, { stdio: ["ignore", "pipe", "pipe"], timeout: 120_000 });
  let output = "";
  let complaints = "";
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  child.stderr.on("data", (text: Buffer) => (complaints += text.toString()));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  const elapsedMs = performance.now() - begun;
  return { code, elapsedMs, said: JSON.parse(output === "" ? "{}" : output) as Exit["said"], complaints };
}

function silentConnect(gateway: TestingGateway): void {
  gateway.misbehave("connect", { do: "stay silent" });
}

function silentStatuses(gateway: TestingGateway): void {
  gateway.misbehave("status", { do: "stay silent" }, { times: 2 });
}

function nothing(): void {}

/** The scenarios of spec/support/exit-scenarios.ts, and how the gateway misbehaves in each. */
const scenarios: Readonly<Record<string, (gateway: TestingGateway) => void>> = {
  "a client that was destroyed": nothing,
  "a client that was destroyed while statuses were under way": silentStatuses,
  "a client that was destroyed without waiting for it": nothing,
  "withClient whose function threw": nothing,
  "a connect that was refused": nothing,
  "a connect to nobody": nothing,
  "a connect that got no response in time": silentConnect,
  "a connect that was aborted": silentConnect,
  "a connect that was aborted before it began": nothing,
  "a client destroyed by a status that failed twice": silentStatuses,
  "a client whose status was aborted, and that was then destroyed": silentStatuses,
  "a client that lost its connection, and no command of which is waited for any more": nothing,
};

const exits = new Map<string, Promise<Exit>>();

beforeAll(async () => {
  for (const [scenario, misbehave] of Object.entries(scenarios)) {
    const gateway = await openGateway({ modules: [{ module: 1000, answer: (status) => status }] });
    misbehave(gateway);
    exits.set(scenario, run(scenario, gateway));
  }
});

afterAll(async () => {
  await endPrograms();
  await endAll();
});

describe("a device that waits for commands", () => {
  async function listening(scenario: string): Promise<{ program: Program; gateway: TestingGateway }> {
    const gateway = await openGateway();
    const program = startProgram(["--import", "tsx", "spec/support/exit-scenarios.ts", scenario, `${gateway.port}`]);
    await eventually(() => expect(gateway.devices).toHaveLength(1), 100_000);
    return { program, gateway };
  }

  it("keeps its process alive even if its connection is lost", async () => {
    const { program, gateway } = await listening("a device that listens");
    gateway.kick();
    await eventually(() => expect(program.stdout).toBe("dropped"), 100_000);
    expect(await Promise.race([program.ended, sleep(500, "alive")])).toBe("alive");
    program.send("SIGTERM");
    expect(await program.ended).toBe("SIGTERM");
  });

  it("lets its process exit with keepProcessAlive: false", async () => {
    const { program } = await listening("a device that listens, and is not to keep the process alive");
    expect(await program.ended).toBe(13); // what awaits the next command never settles
  });
});

describe("a process with nothing else to do exits by itself after", () => {
  it.each(Object.keys(scenarios))("%s", async (scenario) => {
    const { code, said, complaints, elapsedMs } = (await exits.get(scenario)) as Exit;
    expect(complaints).toBe("");
    expect(said.done).toBe(true);
    // No socket, no timer, no immediate.
    expect(said.left.filter((resource) => !NOT_OF_A_CLIENT.includes(resource))).toEqual([]);
    expect(code).toBe(0);
    expect(elapsedMs).toBeLessThan(100_000);
  });
});
