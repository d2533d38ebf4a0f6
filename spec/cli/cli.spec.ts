import { EventEmitter } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { run, type Process } from "../../lib/cli.js";
import { eventually } from "../support/eventually.js";
import { endAll, openGateway } from "../support/opened.js";

afterEach(endAll);

class Pipe extends Writable {
  text = "";
  failure: NodeJS.ErrnoException | undefined;

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    if (this.failure === undefined) this.text += chunk.toString();
    done(this.failure);
  }
}

interface FakeProcess {
  readonly host: Process & EventEmitter;
  readonly stdout: Pipe;
  readonly stderr: Pipe;
}

function createProcess(...args: string[]): FakeProcess {
  const [stdout, stderr] = [new Pipe(), new Pipe()];
  const exit = jest.fn();
  const kill = jest.fn();
  const parts = {
    pid: 7,
    kill,
    exit,
    argv: ["node", "cli.js", ...args],
    env: {},
    stdin: new PassThrough(),
    stdout,
    stderr,
  };
  return { host: Object.assign(new EventEmitter(), parts) as unknown as FakeProcess["host"], stdout, stderr };
}

function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`write ${code}`), { code });
}

describe("the process of a command", () => {
  it("takes the command line behind the script's name, and gets the exit code", async () => {
    const { host, stdout, stderr } = createProcess("--version");
    await run(host, "1.2.3");
    expect({ code: host.exitCode, stdout: stdout.text, stderr: stderr.text }).toEqual({
      code: 0,
      stdout: "1.2.3\n",
      stderr: "",
    });
  });

  it("gets 2 for a wrong command line", async () => {
    const { host } = createProcess("wach");
    await run(host, "1.2.3");
    expect(host.exitCode).toBe(2);
  });

  it.each(["SIGINT", "SIGTERM"])("ends its command on %s, and leaves the next one to the system", async (signal) => {
    const { host, stdout } = createProcess("gateway", "--port", "0");
    const ended = run(host, "1.2.3");
    await eventually(() => expect(stdout.text).toContain("listening"));
    host.emit(signal);
    expect([host.listenerCount("SIGINT"), host.listenerCount("SIGTERM")]).toEqual([0, 0]);
    await ended;
    expect(host.exitCode).toBe(0);
  });

  it("leaves no listener for signals behind", async () => {
    const { host } = createProcess("--version");
    await run(host, "1.2.3");
    expect([host.listenerCount("SIGINT"), host.listenerCount("SIGTERM")]).toEqual([0, 0]);
  });

  it("ends quietly when nobody reads its output any more", async () => {
    const gateway = await openGateway();
    const line = `watch --module 1234 --status a --every 0.01 --port ${gateway.port}`.split(" ");
    const { host, stdout, stderr } = createProcess(...line);
    const ended = run(host, "1.2.3");
    await eventually(() => expect(stdout.text).toContain("answer"));
    stdout.failure = systemError("EPIPE");
    await ended;
    expect({ code: host.exitCode, stderr: stderr.text }).toEqual({ code: 0, stderr: "" });
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });

  it("fails with 1 when its output cannot be written", async () => {
    const { host, stdout, stderr } = createProcess("gateway", "--port", "0");
    stdout.failure = systemError("ENOSPC");
    await run(host, "1.2.3");
    expect(host.exitCode).toBe(1);
    expect(stderr.text).toBe("fleet-internal-client: the output cannot be written: write ENOSPC\n");
  });

  it("fails with 1 in one line when something unexpected happens", async () => {
    const { host, stdout, stderr } = createProcess("--version");
    stdout.write = () => {
      throw new Error("nobody expected this");
    };
    await run(host, "1.2.3");
    expect(host.exitCode).toBe(1);
    expect(stderr.text).toBe("fleet-internal-client: something unexpected failed: nobody expected this\n");
  });

  it("fails with 1 when its help cannot be written", async () => {
    const { host, stdout, stderr } = createProcess("help");
    stdout.failure = systemError("ENOSPC");
    await run(host, "1.2.3");
    expect({ code: host.exitCode, stderr: stderr.text }).toEqual({
      code: 1,
      stderr: "fleet-internal-client: the output cannot be written: write ENOSPC\n",
    });
  });

  it("ends soon after a signal even if nobody reads its output", async () => {
    const { host, stdout } = createProcess("gateway", "--port", "0");
    stdout._write = () => undefined;
    const ended = run(host, "1.2.3");
    await eventually(() => expect(stdout.writableLength).toBeGreaterThan(0));
    host.emit("SIGTERM");
    await ended;
    expect(host.exit).toHaveBeenCalledWith(0);
  });

  it("stops as a whole when the live view has restored the screen", async () => {
    const gateway = await openGateway();
    const { host, stdout } = createProcess(..."watch --module 1234 --status a --port".split(" "), `${gateway.port}`);
    Object.assign(stdout, { isTTY: true });
    const ended = run(host, "1.2.3");
    await eventually(() => expect(stdout.text).toContain("\x1b[?1049h"));
    host.emit("SIGTSTP");
    expect(stdout.text).toMatch(/\x1b\[\?1049l$/);
    expect(host.kill).toHaveBeenCalledWith(7, "SIGSTOP");
    host.emit("SIGINT");
    await ended;
    expect([host.listenerCount("SIGTSTP"), host.listenerCount("SIGCONT")]).toEqual([0, 0]);
  });

  it("goes on when nobody reads its errors", async () => {
    const { host, stderr } = createProcess("wach");
    stderr.failure = systemError("EPIPE");
    await run(host, "1.2.3");
    expect(host.exitCode).toBe(2);
  });
});
