import { afterEach, describe, expect, it } from "@jest/globals";
import { endAll, openGateway } from "../support/opened.js";
import { endPrograms, startProgram } from "../support/program.js";

afterEach(endPrograms);
afterEach(endAll);

/** A device in a process of its own, which sends the byte 42 and then cannot connect as another. */
const device = `
  import { connect, destroy, exchange } from "./lib/index.ts";
  const device = { module: 1000, deviceType: 0, deviceRole: "left", deviceName: "line\\none \\u202e%s" };
  const config = { host: "127.0.0.1", port: Number(process.env.GATEWAY_PORT), device };
  const client = (await connect(config))._unsafeUnwrap();
  (await exchange(client, Uint8Array.of(42)))._unsafeUnwrap();
  await destroy(client);
  (await connect({ ...config, device: { ...device, deviceType: 7 } }))._unsafeUnwrapErr();
`;

async function linesOf(env: Record<string, string>): Promise<string[]> {
  const gateway = await openGateway({ modules: [{ module: 1000, deviceTypes: [0], answer: (status) => status }] });
  gateway.misbehave("status", { do: "close" });
  const args = ["--import", "tsx", "--input-type=module", "--eval", device];
  const program = startProgram(args, { ...env, GATEWAY_PORT: `${gateway.port}` });
  const code = await program.ended;
  expect([code, gateway.received.length]).toEqual([0, 5]);
  return program.stderr.split("\n").map((line) => line.replaceAll(`:${gateway.port}`, ":1636"));
}

describe("NODE_DEBUG=fleet-internal-client", () => {
  it("prints what happens on standard error, in lines that no content can break", async () => {
    const which = 'device "line\\none \\u{202e}%s", module 1000, type 0, role "left", at 127.0.0.1:1636';
    const refused = 'device "line\\none \\u{202e}%s", module 1000, type 7, role "left", at 127.0.0.1:1636';
    const lines = await linesOf({ NODE_DEBUG: "fleet-internal-client" });
    expect(lines.map((line) => line.replace(/^FLEET-INTERNAL-CLIENT \d+: /, ""))).toEqual([
      `connect: ${which}`,
      `status: ${which}, frameBytes 36, afterReconnect false`,
      expect.stringContaining(`drop: UNABLE_TO_CONNECT: the gateway closed the connection (${which}).`),
      `reconnect: ${which}`,
      `status: ${which}, frameBytes 36, afterReconnect true`,
      `command: ${which}, bytes 1, kind answer`,
      `destroy: ${which}`,
      `refusal: ${refused}, code DEVICE_TYPE_NOT_SUPPORTED, willAskAgain false`,
      expect.stringContaining("destroy: DEVICE_TYPE_NOT_SUPPORTED: the gateway refused the device"),
      "",
    ]);
  });

  it("is required: nothing is printed without it", async () => {
    expect(await linesOf({})).toEqual([""]);
  });
});
