import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";

/** A gateway of one button that can be frozen, so that its port swallows every new connection. */
export interface FrozenGateway {
  readonly host: string;
  readonly port: number;
  /** How many connections it had accepted when it froze. */
  readonly connections: number;
  /** From now on it does nothing, and its queue of new connections is full: the kernel drops what asks for one. */
  readonly freeze: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

// It runs in a thread of its own, whose event loop can be stopped. The frames are those of spec/testing/wire.ts; a status is
// never answered.
const PROGRAM = `
  const { createServer } = require("node:net");
  const { parentPort, workerData } = require("node:worker_threads");
  const { connected, isThawed, host } = workerData;
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => undefined);
    socket.once("data", () => socket.write(Buffer.from(connected, "hex")));
  });
  server.listen({ host, port: 0, backlog: 1 }, () => parentPort.postMessage(server.address().port));
  parentPort.once("message", () => {
    parentPort.postMessage(connections);
    Atomics.wait(isThawed, 0, 0);
  });
`;

const MOST_FILLERS = 32;

/** Given "0.0.0.0", it is all of 127.0.0.0/8 that swallows connections. */
export async function startFrozenGateway(connected: string, listenOn = "127.0.0.1"): Promise<FrozenGateway> {
  const isThawed = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(PROGRAM, { eval: true, workerData: { connected, isThawed, host: listenOn } });
  const fillers: Socket[] = [];
  const gone: Promise<void>[] = [];
  let connections = 0;
  const host = "127.0.0.1";
  const [port] = (await once(worker, "message")) as [number];

  async function fillQueue(): Promise<void> {
    while (fillers.length < MOST_FILLERS) {
      const filler = connect({ host, port });
      fillers.push(filler);
      gone.push(new Promise((resolve) => filler.once("close", () => resolve())));
      filler.on("error", () => undefined);
      await Promise.race([once(filler, "connect"), sleep(150)]);
      await turn(); // timers come before sockets
      if (filler.connecting) return;
    }
    throw new Error(`the queue of new connections is not full after ${MOST_FILLERS}`);
  }

  return {
    host,
    port,
    get connections() {
      return connections;
    },
    freeze: async () => {
      worker.postMessage("freeze");
      [connections] = (await once(worker, "message")) as [number];
      await fillQueue();
    },
    stop: async () => {
      for (const filler of fillers) filler.destroy();
      Atomics.store(isThawed, 0, 1);
      Atomics.notify(isThawed, 0);
      await worker.terminate();
      await Promise.all(gone); // or the next spec would count them among what is there before it
    },
  };
}
