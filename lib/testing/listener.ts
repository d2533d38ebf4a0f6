import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { drop, isGone, reset } from "./connection.js";
import { accept } from "./session.js";
import { recordError, sleep, startAfresh, type State } from "./state.js";

/** The gateway's TCP port: opened once, perhaps restarted, finally closed. */
export interface Listener {
  readonly port: number;
  readonly restart: (downMs: number) => Promise<void>;
  readonly terminate: (muteMs: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Lets a thousand devices connect at once; with Node's default, some of them would wait for a second. */
const BACKLOG = 4096;

export async function openListener(state: State): Promise<Listener> {
  const { host, port: wantedPort } = state.settings;
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
  server.on("connection", (socket) => accept(state, socket));
  const port = await open(wantedPort);
  server.on("error", (error) => recordError(state, error));
  const stopping = new AbortController();
  let restarting: Promise<void> = Promise.resolve();
  let stopped: Promise<void> | undefined;

  async function open(onPort: number): Promise<number> {
    server.listen({ host, port: onPort, backlog: BACKLOG });
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  async function shut(): Promise<void> {
    const open = [...state.connections].filter(({ socket }) => !socket.closed);
    const closed = open.map(({ socket }) => new Promise((resolve) => socket.once("close", resolve)));
    const portClosed = new Promise((resolve) => server.close(resolve));
    for (const connection of state.connections) {
      // A process that ends resets sockets with unread bytes.
      if (connection.isIgnored && !isGone(connection)) reset(state, connection);
      else drop(state, connection, "gateway");
    }
    startAfresh(state);
    await Promise.all([portClosed, ...closed]);
  }

  async function restartNow(downMs: number): Promise<void> {
    refuseIfStopped();
    await shut();
    await sleep(downMs, stopping.signal);
    refuseIfStopped();
    await open(port);
  }

  function refuseIfStopped(): void {
    if (stopping.signal.aborted) throw new Error("the gateway was stopped. Start a new one.");
  }

  async function terminateNow(muteMs: number): Promise<void> {
    refuseIfStopped();
    state.isEnding = true;
    await sleep(muteMs, stopping.signal);
    await shut();
  }

  function afterTheLast(action: () => Promise<void>): Promise<void> {
    const done = restarting.then(action);
    restarting = done.catch(() => undefined);
    return done;
  }

  async function stopNow(): Promise<void> {
    stopping.abort();
    await restarting;
    await shut();
  }

  return {
    port,
    restart: (downMs) => afterTheLast(() => restartNow(downMs)),
    terminate: (muteMs) => afterTheLast(() => terminateNow(muteMs)),
    stop: () => (stopped ??= stopNow()),
  };
}
