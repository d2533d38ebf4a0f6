import { EventEmitter } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { run, type Process } from "../../lib/cli.js";
import { eventually } from "../support/eventually.js";
import { openGateway } from "../support/opened.js";
import { endPrograms, startProgram, type Program } from "../support/program.js";
import { argumentsOf, endAll } from "./surroundings.js";

afterEach(endPrograms);
afterEach(endAll);

class Pipe extends Writable {
  text = "";
  failure: NodeJS.ErrnoException | undefined;

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    if (this.failure === undefined) this.text += chunk.toString();
    done(this.failure);
  }
}

function createProcess(line: string) {
  const [stdin, stdout, stderr] = [new PassThrough(), new Pipe(), new Pipe()];
  const argv = ["node", "cli.js", ...argumentsOf(line)];
  const parts = { pid: 7, kill: jest.fn(), exit: jest.fn(), argv, env: {}, stdin, stdout, stderr };
  const host = Object.assign(new EventEmitter(), parts) as unknown as Process & EventEmitter;
  return { host, stdout, stderr };
}

function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`write ${code}`), { code });
}

describe("the process of a command", () => {
  it("takes the command line behind the script's name, and gets the exit code", async () => {
    const { host, stdout, stderr } = createProcess("--version");
    await run(host, "1.2.3");
    expect([host.exitCode, stdout.text, stderr.text]).toEqual([0, "1.2.3\n", ""]);
    expect([host.listenerCount("SIGINT"), host.listenerCount("SIGTERM")]).toEqual([0, 0]);
  });

  it.each(["SIGINT", "SIGTERM"])("ends its command on %s, and leaves the next one to the system", async (signal) => {
    const { host, stdout } = createProcess("gateway --port 0");
    const ended = run(host, "1.2.3");
    await eventually(() => expect(stdout.text).toContain("listening"));
    host.emit(signal);
    expect([host.listenerCount("SIGINT"), host.listenerCount("SIGTERM")]).toEqual([0, 0]);
    await ended;
    expect(host.exitCode).toBe(0);
  });

  it.each(["gateway --port 0", "help"])("fails with 1 when its output cannot be written: %s", async (line) => {
    const { host, stdout, stderr } = createProcess(line);
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

  it("goes on when nobody reads its errors", async () => {
    const { host, stderr } = createProcess("wach");
    stderr.failure = systemError("EPIPE");
    await run(host, "1.2.3");
    expect(host.exitCode).toBe(2);
  });

  it("ends soon after a signal even if nobody reads its output", async () => {
    const { host, stdout } = createProcess("gateway --port 0");
    stdout._write = () => undefined;
    const ended = run(host, "1.2.3");
    await eventually(() => expect(stdout.writableLength).toBeGreaterThan(0));
    host.emit("SIGTERM");
    await ended;
    expect(host.exit).toHaveBeenCalledWith(0);
  });

  it("stops as a whole when the live view has restored the screen", async () => {
    const { port } = await openGateway();
    const { host, stdout } = createProcess(`watch --module 1234 --status a --port ${port}`);
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
});

describe("the command as a process of its own", () => {
  function start(line: string) {
    return startProgram(["--import", "tsx", "spec/cli/start.ts", ...argumentsOf(line)], {}, "pipe");
  }

  async function expectEnded(program: Program): Promise<void> {
    expect([await program.ended, program.stderr]).toEqual([0, ""]);
  }

  it("is a gateway until it is terminated, though its standard input is open, and exits with 0", async () => {
    const program = start("gateway --port 0 --push-stdin");
    program.input!.write("on\n");
    await eventually(() => expect(program.stdout).toContain('pushed to 0 devices: "on"'));
    program.send("SIGTERM");
    await expectEnded(program);
  });

  it("sends what it is given on standard input, and exits by itself", async () => {
    const { port } = await openGateway();
    const program = start(`send --module 1234 --port ${port} -`);
    program.input!.end("hello");
    await expectEnded(program);
    expect(program.stdout).toBe("hello\n");
  });

  it("exits without a word when its output is closed, as by head", async () => {
    const { port } = await openGateway();
    const program = start(`watch --module 1234 --status a --every 0.01 --json --port ${port}`);
    await eventually(() => expect(program.stdout).toContain("answer"));
    program.output.destroy();
    await expectEnded(program);
  });
});
