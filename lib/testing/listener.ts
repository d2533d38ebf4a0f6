import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "./context.js";
import { recordError } from "./context.js";
import { drop } from "./hang-up.js";
import { accept } from "./session.js";

/** The gateway's TCP port: opened once, perhaps restarted, closed for good. */
export interface Listener {
  readonly port: number;
  readonly restart: (downMs: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** So that a thousand devices can come at once; Node's own default makes some of them wait for a second. */
const BACKLOG = 4096;

export async function openListener(context: Context): Promise<Listener> {
  const { host, port: wantedPort } = context.settings;
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
  server.on("connection", (socket) => accept(context, socket));
  const port = await open(wantedPort);
  server.on("error", (error) => recordError(context, error));
  const stopping = new AbortController();
  let restarting: Promise<void> = Promise.resolve();
  let stopped: Promise<void> | undefined;

  async function open(onPort: number): Promise<number> {
    server.listen({ host, port: onPort, backlog: BACKLOG });
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  async function shut(): Promise<void> {
    const sockets = [...context.connections].map(
      ({ socket }) => new Promise((resolve) => socket.once("close", resolve)),
    );
    const portClosed = new Promise((resolve) => server.close(resolve));
    for (const connection of context.connections) drop(context, connection);
    context.slots.clear();
    await Promise.all([portClosed, ...sockets]);
  }

  async function restartNow(downMs: number): Promise<void> {
    refuseIfStopped();
    await shut();
    await sleep(downMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    refuseIfStopped();
    await open(port);
  }

  function refuseIfStopped(): void {
    if (stopping.signal.aborted) throw new Error("The gateway has been stopped and does not start again.");
  }

  function restart(downMs: number): Promise<void> {
    const restarted = restarting.then(() => restartNow(downMs));
    restarting = restarted.catch(() => undefined);
    return restarted;
  }

  async function stopNow(): Promise<void> {
    stopping.abort();
    await restarting;
    await shut();
  }

  return { port, restart, stop: () => (stopped ??= stopNow()) };
}
