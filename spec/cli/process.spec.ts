import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { endAll, openGateway } from "../support/opened.js";

const children = new Set<ChildProcessWithoutNullStreams>();

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
  await endAll();
});

interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  readonly errors: () => string;
  /** All of the output, once it holds the text. */
  readonly outputWith: (text: string) => Promise<string>;
  /** The exit code, once the process has gone and its streams are closed. */
  readonly ended: Promise<number | null>;
}

function start(...args: string[]): Started {
  const script = join(process.cwd(), "spec", "cli", "start.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script, ...args]);
  children.add(child);
  let [output, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const ended = once(child, "close").then(([code]) => code as number | null);
  const outputWith = async (text: string): Promise<string> => {
    while (!output.includes(text)) await once(child.stdout, "data");
    return output;
  };
  return { child, errors: () => errors, outputWith, ended };
}

describe("the command as a process", () => {
  it("watches until Ctrl-C, and exits with 0", async () => {
    const gateway = await openGateway();
    const line = `watch --module 1234 --status a --every 60 --port ${gateway.port}`.split(" ");
    const { child, outputWith, errors, ended } = start(...line);
    await outputWith("answer in ");
    child.kill("SIGINT");
    expect(await ended).toBe(0);
    expect(errors()).toBe("");
  });

  it("is a gateway until it is terminated, though its standard input is open, and exits with 0", async () => {
    const { child, outputWith, errors, ended } = start("gateway", "--port", "0", "--push-stdin");
    child.stdin.write("on\n");
    await outputWith('pushed to 0 devices: "on"');
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(errors()).toBe("");
  });

  it("sends what it is given on standard input, and exits by itself", async () => {
    const gateway = await openGateway();
    const { child, outputWith, ended } = start("send", "--module", "1234", "--port", gateway.port.toString(), "-");
    child.stdin.end("hello");
    expect(await outputWith("\n")).toBe("hello\n");
    expect(await ended).toBe(0);
  });

  it("exits with 130 when send is interrupted", async () => {
    const gateway = await openGateway();
    gateway.misbehave("status", { do: "stay silent" });
    const arrived = gateway.nextStatus();
    const line = `send --module 1234 --status a --port ${gateway.port}`.split(" ");
    const { child, errors, ended } = start(...line);
    await arrived;
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(errors()).toBe("");
  });

  it("exits without a word when its output is closed, as by head", async () => {
    const gateway = await openGateway();
    const line = `watch --module 1234 --status a --every 0.01 --json --port ${gateway.port}`.split(" ");
    const { child, outputWith, errors, ended } = start(...line);
    await outputWith("answer");
    child.stdout.destroy();
    expect(await ended).toBe(0);
    expect(errors()).toBe("");
  });
});
