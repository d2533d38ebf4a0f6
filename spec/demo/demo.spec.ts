import { afterEach, describe, expect, it } from "@jest/globals";
import { example } from "../../lib/modules/example.js";
import { eventually } from "../support/eventually.js";
import { endAll, openGateway } from "../support/opened.js";
import { endPrograms, startProgram, type Program } from "../support/program.js";

/** Such a run starts Node and compiles: on a slow machine that takes its time. */
const SLOW_MS = 120_000;

/** As `npm run demo -- …` does it, without the process of tsx around it: that kills its child 60 ms after a signal. */
function startDemo(...args: string[]): Program {
  return startProgram(["--import", "tsx", "scripts/demo.ts", ...args]);
}

/** What was said, without the times. */
function linesOf({ stdout }: Program): string[] {
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d\d\d {2}/, "").replace(/ {2,}/, ": "));
}

afterEach(async () => {
  await endPrograms();
  await endAll();
});

describe("the demo", () => {
  it("shows lamp, push, refusal and losses, and ends by itself with code 0", async () => {
    const demo = startDemo();
    expect(await demo.ended).toBe(0);
    expect(demo.stderr).toBe("");
    const lines = linesOf(demo);
    const expected = [
      "lamp: on",
      "story: the person presses the button, and holds it",
      "lamp: off",
      "story: the person releases the button",
      "lamp: on",
      "story: the cloud pushes a command that nobody asked for: lamp off",
      "lamp: off",
      "twin: DEVICE_ALREADY_CONNECTED",
      "story: the network resets the button's connection",
      "button: connected again, and sends its status again",
      "story: the gateway restarts, and is gone for a second",
      "button: UNABLE_TO_CONNECT, and tries again",
      "button: connected",
      "story: the story ends",
    ];
    let from = 0;
    for (const line of expected) {
      const at = lines.indexOf(line, from);
      expect(lines.slice(from).concat(at < 0 ? [`missing: ${line}`] : [])).toContain(line);
      from = at + 1;
    }
  });

  it("runs the button at a gateway until it is told to end, with code 0", async () => {
    const gateway = await openGateway({ modules: [example] });
    const demo = startDemo("--host", gateway.host, "--port", String(gateway.port));
    await eventually(() => expect(linesOf(demo)).toEqual(expect.arrayContaining(["lamp: on", "lamp: off"])), SLOW_MS);
    demo.send("SIGTERM");
    expect(await demo.ended).toBe(0);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });
});
