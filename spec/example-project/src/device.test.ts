import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, expect, it, jest } from "@jest/globals";
import { startGateway, type TestingGateway } from "fleet-internal-client/testing";
import { type Hardware, runHeater } from "./device.js";

let gateway: TestingGateway;
let celsius: number;
let stop: AbortController;

beforeEach(async () => {
  celsius = 18;
  stop = new AbortController();
  // This vehicle is to have 20 degrees.
  gateway = await startGateway({
    answer: (status) => {
      const { celsius } = JSON.parse(Buffer.from(status).toString()) as { celsius: number };
      return Buffer.from(JSON.stringify({ heat: celsius < 20 }));
    },
  });
});

afterEach(async () => {
  stop.abort();
  await gateway.stop();
  expect(gateway.errors).toEqual([]);
  jest.restoreAllMocks();
});

/** Runs the device until it has switched the heating so many times, and gives how. */
async function switchings(count: number): Promise<boolean[]> {
  const switched: boolean[] = [];
  const hardware: Hardware = {
    readCelsius: () => celsius++,
    switchHeating: (on) => {
      switched.push(on);
      if (switched.length === count) stop.abort();
    },
  };
  const { host, port } = gateway;
  await runHeater(hardware, { host, port, signal: stop.signal, intervalMs: 10, retryMs: 10 });
  expect(switched.at(-1)).toBe(false); // it leaves no heating behind that is on
  return switched.slice(0, count);
}

it("heats as commanded", async () => {
  expect(await switchings(3)).toEqual([true, true, false]);
  expect(gateway.connections).toBe(1);
});

it("continues to heat after the connection was lost", async () => {
  gateway.misbehave("status", { do: "reset" });
  expect(await switchings(2)).toEqual([true, true]);
  expect(gateway.connections).toBe(2);
});

it("does not heat while the gateway refuses it, and connects again", async () => {
  const logged = jest.spyOn(console, "error").mockReturnValue();
  gateway.misbehave("connect", { do: "refuse", responseType: 1 });
  expect(await switchings(2)).toEqual([false, true]);
  expect(logged).toHaveBeenCalledWith(expect.stringMatching(/^DEVICE_ALREADY_CONNECTED: /));
});

it.each(["SIGINT", "SIGTERM"] as const)(
  "is a program that runs until %s",
  async (signal) => {
    const program = ["dist/main.js", gateway.host, `${gateway.port}`];
    const arrived = gateway.nextStatus();
    const running = spawn(process.execPath, program, { stdio: "ignore", timeout: 30_000, killSignal: "SIGKILL" });
    const exited = once(running, "exit");
    expect(Buffer.from((await arrived).status).toString()).toBe('{"celsius":19.5}');
    running.kill(signal);
    expect(await exited).toEqual([0, null]);
  },
  60_000,
);
