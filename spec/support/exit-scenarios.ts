import { subscribe } from "node:diagnostics_channel";
import { connect, commands, destroy, exchange, withClient, type Config } from "../../lib/index.js";
import { button } from "./opened.js";

// Run as a process of its own: `node --import tsx exit-scenarios.ts <scenario> <port>`, against a gateway in another process.
// Each scenario uses a client and is then done; what it leaves behind keeps the process from exiting by itself.

const ONE = Uint8Array.of(1);
const [, , scenario = "", port = ""] = process.argv;
const config: Config = { host: "127.0.0.1", port: Number(port), device: button };

async function opened(changes: Partial<Config> = {}) {
  return (await connect({ ...config, ...changes }))._unsafeUnwrap();
}

async function refused(changes: Partial<Config>): Promise<void> {
  (await connect({ ...config, ...changes }))._unsafeUnwrapErr();
}

/** Waits for commands, and says when its connection is lost. */
async function listen(changes: Partial<Config>): Promise<void> {
  const client = await opened(changes);
  subscribe("fleet-internal-client:drop", () => process.stdout.write("dropped"));
  for await (const command of commands(client)) command._unsafeUnwrap();
}

const scenarios: Record<string, () => Promise<unknown>> = {
  "a device that listens": () => listen({}),
  "a device that listens, and is not to keep the process alive": () => listen({ keepProcessAlive: false }),
  "a client that was destroyed while statuses were under way": async () => {
    const client = await opened();
    const outcomes = [exchange(client, ONE), exchange(client, ONE), exchange(client, ONE)];
    commands(client);
    await destroy(client);
    for (const outcome of outcomes) (await outcome)._unsafeUnwrapErr();
  },
  "a client that was destroyed without waiting for it": async () => {
    const client = await opened();
    void exchange(client, ONE);
    void destroy(client);
  },
  "withClient whose function threw": async () => {
    const outcome = withClient(config, () => {
      throw new Error("thrown by the function");
    });
    (await outcome)._unsafeUnwrapErr();
  },
  "a connect that was refused": () => refused({ device: { ...button, module: 1 } }),
  "a connect to nobody": () => refused({ port: 1 }),
  "a connect that got no response in time": () => refused({ connectTimeoutMs: 100 }),
  "a connect that was aborted": () => refused({ signal: AbortSignal.timeout(50) }),
  "a connect that was aborted before it began": () => refused({ signal: AbortSignal.abort() }),
  "a client destroyed by a status that failed twice": async () => {
    const client = await opened();
    (await exchange(client, ONE, { timeoutMs: 300 }))._unsafeUnwrapErr();
    (await exchange(client, ONE))._unsafeUnwrapErr();
  },
  "a client that lost its connection, and no command of which is waited for any more": async () => {
    const client = await opened();
    const reading = commands(client).next();
    (await exchange(client, ONE))._unsafeUnwrap();
    (await reading).value?._unsafeUnwrap();
    const controller = new AbortController();
    const aborted = exchange(client, ONE, { signal: controller.signal });
    controller.abort();
    (await aborted)._unsafeUnwrapErr();
  },
};

await scenarios[scenario]?.();
// Sockets close in the next turns of the loop, not at once.
await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
process.stdout.write(JSON.stringify({ done: scenario in scenarios, left: process.getActiveResourcesInfo() }));
