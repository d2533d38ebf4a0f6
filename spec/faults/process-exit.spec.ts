import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { TestingGateway } from "../../lib/testing.js";
import { eventually } from "../support/eventually.js";
import { endAll, openGateway } from "../support/opened.js";
import { endPrograms, startProgram, type Program } from "../support/program.js";

/** What the process's output takes, and the files that it was loaded from, which Node from 22 on closes in the background. */
const NOT_OF_A_CLIENT = [
  ...["PipeWrap", "TTYWrap", "SimpleWriteWrap", "WriteWrap"],
  ...["FSReqCallback", "FSReqPromise", "FileHandle", "FileHandleCloseReq", "CloseReq"],
];

/** What a process gets to exit by itself, loading included. */
const LIMIT_MS = 100_000;

function silentConnect(gateway: TestingGateway): void {
  gateway.misbehave("connect", { do: "stay silent" });
}

function silentStatuses(gateway: TestingGateway): void {
  gateway.misbehave("status", { do: "stay silent" }, { times: 2 });
}

/** The scenarios of spec/support/exit-scenarios.ts, and how the gateway misbehaves in each. */
const SCENARIOS: Readonly<Record<string, ((gateway: TestingGateway) => void) | undefined>> = {
  "a client that was destroyed while statuses were under way": silentStatuses,
  "a client that was destroyed without waiting for it": undefined,
  "withClient whose function threw": undefined,
  "a connect that was refused": undefined,
  "a connect to nobody": undefined,
  "a connect that got no response in time": silentConnect,
  "a connect that was aborted": silentConnect,
  "a connect that was aborted before it began": undefined,
  "a client destroyed by a status that failed twice": silentStatuses,
  "a client that lost its connection, and no command of which is waited for any more": undefined,
};

/** Plays the scenario in a process of its own. */
function start(scenario: string, { port }: { readonly port: number }): Program {
  return startProgram(["--import", "tsx", "spec/support/exit-scenarios.ts", scenario, `${port}`]);
}

const started = new Map<string, Program>();

beforeAll(async () => {
  for (const [scenario, misbehave] of Object.entries(SCENARIOS)) {
    const gateway = await openGateway({ modules: [{ module: 1000, answer: (status) => status }] });
    misbehave?.(gateway);
    started.set(scenario, start(scenario, gateway));
  }
});

afterAll(async () => {
  await endPrograms();
  await endAll();
});

describe("a process with nothing else to do exits by itself after", () => {
  it.each(Object.keys(SCENARIOS))("%s", async (scenario) => {
    const program = started.get(scenario)!;
    expect(await Promise.race([program.ended, sleep(LIMIT_MS, "alive", { ref: false })])).toBe(0);
    expect(program.stderr).toBe("");
    const { done, left } = JSON.parse(program.stdout) as { readonly done: boolean; readonly left: readonly string[] };
    expect(done).toBe(true);
    // No socket, no timer, no immediate.
    expect(left.filter((resource) => !NOT_OF_A_CLIENT.includes(resource))).toEqual([]);
  });
});

describe("a device that waits for commands", () => {
  async function listening(scenario: string): Promise<{ program: Program; gateway: TestingGateway }> {
    const gateway = await openGateway();
    const program = start(scenario, gateway);
    await eventually(() => expect(gateway.devices).toHaveLength(1), LIMIT_MS);
    return { program, gateway };
  }

  it("keeps its process alive even if its connection is lost", async () => {
    const { program, gateway } = await listening("a device that listens");
    gateway.kick();
    await eventually(() => expect(program.stdout).toBe("dropped"), LIMIT_MS);
    expect(await Promise.race([program.ended, sleep(500, "alive")])).toBe("alive");
    program.send("SIGTERM");
    expect(await program.ended).toBe("SIGTERM");
  });

  it("lets its process exit with keepProcessAlive: false", async () => {
    const { program } = await listening("a device that listens, and is not to keep the process alive");
    expect(await program.ended).toBe(13); // what awaits the next command never settles
  });
});
