import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { destroy, exchange, lazyClient } from "../../lib/index.js";
import { example } from "../../lib/modules/example.js";
import { hex, utf8 } from "../support/bytes.js";
import { eventually } from "../support/eventually.js";
import { button, configFor, endAll, keep, openGateway } from "../support/opened.js";
import { endPrograms, startProgram } from "../support/program.js";
import { standStill } from "../support/stand-still.js";
import { AT_ONCE_MS, timed } from "../support/timed.js";

afterEach(endAll);
afterEach(endPrograms);

const status = Uint8Array.of(1);

describe("a lazy client", () => {
  it("connects on first use, not before", async () => {
    const gateway = await openGateway();
    const client = lazyClient(configFor(gateway));
    await sleep(10);
    expect(gateway.connections).toBe(0);
    keep((await client())._unsafeUnwrap());
    expect(gateway.connections).toBe(1);
  });

  it("connects once for concurrent calls, and returns the same handle to all", async () => {
    const gateway = await openGateway();
    const client = lazyClient(configFor(gateway));
    const [first, second, third] = await Promise.all([client(), client(), client()]);
    expect(second).toBe(first);
    expect(third).toBe(first);
    keep(first._unsafeUnwrap());
    expect(gateway.connections).toBe(1);
  });

  it("is returned again as long as it lives", async () => {
    const gateway = await openGateway();
    const client = lazyClient(configFor(gateway));
    const first = keep((await client())._unsafeUnwrap());
    expect((await client())._unsafeUnwrap()).toBe(first);
    expect(gateway.connections).toBe(1);
  });

  it("connects again after it was destroyed", async () => {
    const gateway = await openGateway();
    const client = lazyClient(configFor(gateway));
    const first = (await client())._unsafeUnwrap();
    await destroy(first);
    const second = keep((await client())._unsafeUnwrap());
    expect(second).not.toBe(first);
    expect(gateway.connections).toBe(2);
  });

  it("connects again after a status that failed twice destroyed it", async () => {
    const gateway = await openGateway();
    const client = lazyClient(configFor(gateway));
    gateway.misbehave("status", { do: "close" }, { times: 2 });
    expect((await client().andThen((handle) => exchange(handle, status)))._unsafeUnwrapErr().code).toBe(
      "UNABLE_TO_CONNECT",
    );
    const command = await client().andThen((handle) => exchange(keep(handle), status));
    expect(command._unsafeUnwrap()).toEqual(status);
  });

  it("returns a failed connect to all who await it, and tries again at the next call", async () => {
    const gateway = await openGateway();
    gateway.misbehave("connect", { do: "refuse", responseType: 2 });
    const client = lazyClient(configFor(gateway));
    const [first, second] = await Promise.all([client(), client()]);
    expect(first._unsafeUnwrapErr().code).toBe("MODULE_NOT_SUPPORTED");
    expect(second).toBe(first);
    await eventually(() => expect(gateway.openSockets).toBe(0));
    keep((await client())._unsafeUnwrap());
  });

  it("returns the error of a wrong configuration at each call", async () => {
    const client = lazyClient({ ...configFor(await openGateway()), port: 0 });
    expect((await client())._unsafeUnwrapErr().message).toContain("config.port");
    expect((await client())._unsafeUnwrapErr().message).toContain("config.port");
  });

  it("is typed by the device's module", async () => {
    const gateway = await openGateway({ answer: () => utf8('{"lit_up":false}') });
    const client = lazyClient({ ...configFor(gateway), device: { ...button, module: example } });
    const command = await client().andThen((handle) => exchange(keep(handle), { pressed: false }));
    expect(command._unsafeUnwrap()).toEqual({ lit_up: false });
  });

  it("can be destroyed without connecting first, and connects again at the next call", async () => {
    const gateway = await openGateway();
    const client = lazyClient(configFor(gateway));
    expect((await client.destroy()).isOk()).toBe(true);
    expect(gateway.connections).toBe(0);
    const first = (await client())._unsafeUnwrap();
    await client.destroy();
    await client.destroy();
    expect((await exchange(first, status))._unsafeUnwrapErr().reason).toBe("destroyed");
    expect(keep((await client())._unsafeUnwrap())).not.toBe(first);
    expect(gateway.connections).toBe(2);
  });

  it("is destroyed while it connects, as soon as it is connected, and when it could not connect", async () => {
    const gateway = await openGateway();
    const client = lazyClient(configFor(gateway));
    const connecting = client();
    await client.destroy();
    expect((await exchange((await connecting)._unsafeUnwrap(), status))._unsafeUnwrapErr().reason).toBe("destroyed");
    gateway.misbehave("connect", { do: "refuse", responseType: 2 });
    const refused = client();
    expect((await client.destroy()).isOk()).toBe(true);
    expect((await refused).isErr()).toBe(true);
  });

  it("is destroyed by await using", async () => {
    const gateway = await openGateway();
    {
      await using client = lazyClient(configFor(gateway));
      (await client())._unsafeUnwrap();
    }
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });
});

describe("a handler in the shape of AWS Lambda", () => {
  /** What a user keeps in module scope, and the handler itself. */
  function deploy(port: number, timeoutMs?: number) {
    const client = lazyClient({ host: "127.0.0.1", port, device: button, keepProcessAlive: false });
    const handler = async (event: { status: string }) => {
      const command = await client().andThen((handle) =>
        exchange(keep(handle), Buffer.from(event.status, "hex"), { timeoutMs }),
      );
      return command.match(
        (bytes) => ({ statusCode: 200, body: hex(bytes) }),
        (error) => ({ statusCode: 502, body: error.code }),
      );
    };
    return handler;
  }

  it("connects at the first call and stays connected for the warm ones", async () => {
    const gateway = await openGateway();
    const handler = deploy(gateway.port);
    expect(await handler({ status: "01" })).toEqual({ statusCode: 200, body: "01" });
    expect(await handler({ status: "02" })).toEqual({ statusCode: 200, body: "02" });
    expect(gateway.connections).toBe(1);
  });

  it("answers after a freeze in which the gateway closed the connection", async () => {
    const gateway = await openGateway();
    const handler = deploy(gateway.port);
    await handler({ status: "01" });
    gateway.kick();
    // Nothing of the cut has been read yet: to the frozen process the connection still looks alive.
    expect(await handler({ status: "02" })).toEqual({ statusCode: 200, body: "02" });
    expect(gateway.connections).toBe(2);
  });

  it("answers after a freeze in which the answer's deadline passed, when the answer has come meanwhile", async () => {
    const gateway = await openGateway();
    const handler = deploy(gateway.port, 500);
    await handler({ status: "01" });
    const answer = handler({ status: "02" });
    await gateway.nextStatus();
    standStill(700);
    expect(await answer).toEqual({ statusCode: 200, body: "02" });
    expect(gateway.connections).toBe(1);
  });

  it("returns an error within its own limits while the gateway is down, and answers again when it is back", async () => {
    const gateway = await openGateway();
    const { port } = gateway;
    const handler = deploy(port);
    await handler({ status: "01" });
    await gateway.stop();
    expect(await handler({ status: "02" })).toEqual({ statusCode: 502, body: "UNABLE_TO_CONNECT" });
    expect(await handler({ status: "03" })).toEqual({ statusCode: 502, body: "UNABLE_TO_CONNECT" });
    await openGateway({ port });
    expect(await handler({ status: "04" })).toEqual({ statusCode: 200, body: "04" });
  });

  it("ends in time when the gateway is silent", async () => {
    const gateway = await openGateway();
    const handler = deploy(gateway.port, 500);
    gateway.misbehave("status", { do: "stay silent" }, { times: 2 });
    const [response, elapsedMs] = await timed(() => handler({ status: "01" }));
    expect(response).toEqual({ statusCode: 502, body: "TIMEOUT_OCCURRED" });
    expect(elapsedMs).toBeGreaterThanOrEqual(2 * 500);
    expect(elapsedMs).toBeLessThan(AT_ONCE_MS); // by default it is 20 s
  });
});

describe("a client that is not to keep the process alive", () => {
  const program = (keepProcessAlive: boolean, rest: string) => `
    import { connect, exchange } from "./lib/index.ts";
    const device = ${JSON.stringify(button)};
    const config = { host: "127.0.0.1", port: Number(process.env.PORT), device, keepProcessAlive: ${keepProcessAlive} };
    connect(config).andThen((client) => exchange(client, Uint8Array.of(7))).then((command) => {
      console.log(command.isOk() ? "answered" : command.error.message);
      ${rest}
    });`;

  const start = (port: number, code: string) =>
    startProgram(["--import", "tsx", "--input-type=module", "--eval", code], { PORT: String(port) });

  it("lets it exit while idle, but not while a status is under way", async () => {
    const gateway = await openGateway({ answer: (bytes) => sleep(150, bytes) });
    const child = start(gateway.port, program(false, ""));
    expect(await child.ended).toBe(0);
    expect(child.stdout.trim()).toBe("answered");
  });

  it("keeps it alive by default", async () => {
    const gateway = await openGateway();
    const child = start(gateway.port, program(true, "setTimeout(() => process.exit(9), 300).unref();"));
    expect(await child.ended).toBe(9);
  });

  it("must be set by a boolean", async () => {
    const config = { ...configFor(await openGateway()), keepProcessAlive: "no" as unknown as boolean };
    expect((await lazyClient(config)())._unsafeUnwrapErr().message).toContain("config.keepProcessAlive");
  });
});
