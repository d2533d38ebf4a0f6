import { createServer, type AddressInfo } from "node:net";

import { afterEach, describe, expect, it } from "@jest/globals";

import { demoOptions } from "../../scripts/demo/options.js";
import { utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { endAll, openGateway } from "../support/opened.js";
import { endPrograms, startProgram, type Program } from "../support/program.js";

/** Such a run starts Node twice and compiles: on a slow machine that takes its time. */
const SLOW_MS = 60_000;

/** As `npm run demo -- …` does it. */
function startDemo(...args: string[]): Program {
  return startProgram(["node_modules/tsx/dist/cli.mjs", "scripts/demo.ts", ...args]);
}

/** Each line is the time, who, what, and the particulars. */
const LINE = /^\d\d:\d\d:\d\d\.\d\d\d {2}(?<event>\w+ +\w+) +\S.*$/;

/** Who does what, in order, with a single space between the two. */
function eventsOf({ stdout }: Program): string[] {
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const event = LINE.exec(line)?.groups?.["event"];
    if (event === undefined) throw new Error(`not a line of the demo: ${line}`);
    return event.replace(/ +/, " ");
  });
}

/** The particulars of an event, each time it came. */
function particularsOf({ stdout }: Program, who: string, what: string): string[] {
  return [...stdout.matchAll(new RegExp(`^\\S+ +${who} +${what} +(.+)$`, "gm"))].map((match) => match[1]!);
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

afterEach(async () => {
  await endPrograms();
  await endAll();
});

describe("the demo", () => {
  it(
    "shows a gateway and two devices in tidy lines, and ends by itself with code 0",
    async () => {
      const demo = startDemo();
      expect(await demo.ended).toBe(0);
      expect(demo.stderr).toBe("");

      const events = eventsOf(demo);
      expect(events[0]).toBe("gateway started");
      expect(events.at(-1)).toBe("gateway stopped");
      for (const device of ["button", "board"]) {
        expect(events.filter((event) => event === `${device} status`).length).toBeGreaterThanOrEqual(5);
        expect(events.filter((event) => event === `${device} destroyed`)).toHaveLength(1);
      }

      // The commands follow what the statuses say.
      expect(particularsOf(demo, "button", "command")).toEqual(expect.arrayContaining(["lamp off", "lamp on"]));
      expect(particularsOf(demo, "board", "command")).toEqual(
        expect.arrayContaining(["nothing to do", "now output 1 on, output 2 off"]),
      );
      expect(particularsOf(demo, "board", "status").at(-1)).toBe("output 1 on, output 2 on, button pressed 1 time");

      // One pushed command, and what it did before the next status.
      const pushed = events.indexOf("gateway pushes");
      expect(events.slice(pushed).find((event) => event.startsWith("board"))).toBe("board command");
      expect(particularsOf(demo, "board", "command")).toContain("now output 1 on, output 2 on");

      // One refusal, shown as an error.
      expect(particularsOf(demo, "twin", "error")).toEqual([
        expect.stringContaining("DEVICE_ALREADY_CONNECTED: the gateway refused the device"),
      ]);

      // One restart of the gateway, after which both devices go on.
      const afterRestart = events.slice(events.indexOf("gateway restarts"));
      expect(afterRestart).toEqual(expect.arrayContaining(["button disconnected", "board disconnected"]));
      expect(afterRestart).toEqual(expect.arrayContaining(["button command", "board command"]));
    },
    SLOW_MS,
  );

  it(
    "runs the button at a real gateway until Ctrl-C, which ends it with code 0",
    async () => {
      const gateway = await openGateway({ answer: () => utf8('{"lit_up":true}') });
      const demo = startDemo("--host", gateway.host, "--port", `${gateway.port}`);
      await gateway.nextStatus();
      await gateway.nextStatus();
      expect(gateway.devices).toEqual([expect.objectContaining({ module: 1000, deviceType: 0 })]);
      expect(gateway.statuses()[0]).toEqual(utf8('{"pressed":false}'));

      gateway.kick();
      await gateway.nextStatus();
      await eventually(() => expect(particularsOf(demo, "button", "command")).toHaveLength(3));
      demo.send("SIGINT");

      expect(await demo.ended).toBe(0);
      expect(demo.stderr).toBe("");
      const events = eventsOf(demo);
      expect(events).toEqual(expect.arrayContaining(["button disconnected", "button reconnected"]));
      expect(events.at(-1)).toBe("button destroyed");
      expect(new Set(particularsOf(demo, "button", "command"))).toEqual(new Set(["lamp on"]));
      await eventually(() => expect(gateway.openSockets).toBe(0));
    },
    SLOW_MS,
  );

  it(
    "connects anew when the gateway was gone for longer",
    async () => {
      const gateway = await openGateway({ answer: () => utf8('{"lit_up":true}') });
      const demo = startDemo("--host", gateway.host, "--port", `${gateway.port}`);
      await gateway.nextStatus();
      await gateway.restart({ downMs: 1_300 });
      await gateway.nextStatus();
      demo.send("SIGINT");
      expect(await demo.ended).toBe(0);
      expect(particularsOf(demo, "button", "error")[0]).toContain("UNABLE_TO_CONNECT");
      expect(particularsOf(demo, "button", "connected")).toHaveLength(2);
    },
    SLOW_MS,
  );

  it(
    "ends with one clear line for a wrong option",
    async () => {
      const demo = startDemo("--prot", "1636");
      expect(await demo.ended).toBe(2);
      expect(demo.stderr).toMatch(/^demo: Unknown option '--prot'.*\n$/);
      expect(demo.stdout).toBe("");
    },
    SLOW_MS,
  );

  it(
    "ends with one clear line where no gateway is",
    async () => {
      const port = await closedPort();
      const demo = startDemo("--port", `${port}`);
      expect(await demo.ended).toBe(1);
      expect(demo.stderr).toMatch(/^demo: UNABLE_TO_CONNECT: .*\n$/);
      expect(demo.stderr).toContain(`127.0.0.1:${port}`);
      expect(demo.stdout).toBe("");
    },
    SLOW_MS,
  );

  it(
    "tells how it is used",
    async () => {
      const demo = startDemo("--help");
      expect(await demo.ended).toBe(0);
      expect(demo.stdout).toMatch(/--host HOST[^]*--port PORT/);
    },
    SLOW_MS,
  );
});

describe("the demo's options", () => {
  it("are the whole story when none is given", () => {
    expect(demoOptions([])).toEqual({ kind: "story" });
  });

  it("have a default for the host or the port, when the other is given", () => {
    expect(demoOptions(["--host", "gateway"])).toEqual({ kind: "device", host: "gateway", port: 1636 });
    expect(demoOptions(["--port=8888"])).toEqual({ kind: "device", host: "127.0.0.1", port: 8888 });
  });

  it.each([
    ["a word too many", ["please"], "Unexpected argument 'please'"],
    ["an option without its value", ["--host", "--port", "1636"], "Option '--host"],
    ["a port that is no number", ["--port", "http"], '--port is "http", but must be a whole number from 1 to 65535'],
    ["a port of 0", ["--port", "0"], '--port is "0", but must be a whole number from 1 to 65535'],
    ["a port that is too high", ["--port", "65536"], '--port is "65536", but must be a whole number from 1 to 65535'],
    ["an empty host", ["--host", ""], "--host is empty"],
  ])("refuse %s, and say so", (_, args, message) => {
    expect(() => demoOptions(args)).toThrow(message);
  });
});
