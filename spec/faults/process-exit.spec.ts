import { spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { TestingGateway } from "../../lib/testing.js";
import { endAll, openGateway } from "../support/opened.js";

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
  const child = spawn(process.execPath, script, { stdio: ["ignore", "pipe", "pipe"], timeout: 25_000 });
  let output = "";
  let complaints = "";
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  child.stderr.on("data", (text: Buffer) => (complaints += text.toString()));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  const elapsedMs = performance.now() - begun;
  return { code, elapsedMs, said: JSON.parse(output === "" ? "{}" : output) as Exit["said"], complaints };
}

const silentConnect = (gateway: TestingGateway): void => gateway.misbehave("connect", { do: "stay silent" });
const silentStatuses = (gateway: TestingGateway): void =>
  gateway.misbehave("status", { do: "stay silent" }, { times: 2 });
const nothing = (): void => undefined;

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
};

const exits = new Map<string, Promise<Exit>>();

beforeAll(async () => {
  for (const [scenario, misbehave] of Object.entries(scenarios)) {
    const gateway = await openGateway({ modules: [{ module: 1000, answer: (status) => status }] });
    misbehave(gateway);
    exits.set(scenario, run(scenario, gateway));
  }
});

afterAll(endAll);

describe("a process with nothing else to do exits by itself after", () => {
  it.each(Object.keys(scenarios))(
    "%s",
    async (scenario) => {
      const { code, said, complaints, elapsedMs } = (await exits.get(scenario)) as Exit;
      expect(complaints).toBe("");
      expect(said.done).toBe(true);
      // No socket, no timer, no immediate.
      expect(said.left.filter((resource) => !NOT_OF_A_CLIENT.includes(resource))).toEqual([]);
      expect(code).toBe(0);
      expect(elapsedMs).toBeLessThan(20_000);
    },
    30_000,
  );
});
