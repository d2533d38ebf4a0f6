import { setImmediate as turn } from "node:timers/promises";
import { connect, type ClientHandle, type Config } from "../../lib/index.js";
import { startGateway } from "../../lib/testing.js";
import { startFrozenGateway } from "../support/frozen-gateway.js";
import { startScriptedGateway } from "../support/scripted-gateway.js";
import { AT_ONCE_MS } from "../support/timed.js";
import { button, CONNECTED } from "../testing/wire.js";
import { acceptDevice, serve } from "./misbehaviour.js";

// Where in its life a status can be when it is cancelled. Each phase lasts for seconds unless something ends it, so a spec
// that cancels there cannot come too late.

/** A client and its gateway, prepared so that the next status comes to rest in the phase. */
export interface Prepared {
  readonly client: ClientHandle;
  /** The limits with which the status has to be sent. */
  readonly timeoutMs: number;
  /** Settles when the status has come to rest. To be called once the status was sent. */
  readonly reached: () => Promise<void>;
  /** Whether the gateway serves whatever comes after the status that rests. */
  readonly servesTheNext: boolean;
  readonly openSockets: () => number;
  readonly stop: () => Promise<void>;
}

const LONG_MS = 2 * AT_ONCE_MS;

async function clientOf({ host, port }: Pick<Config, "host" | "port">): Promise<ClientHandle> {
  return (await connect({ host, port, device: button, connectTimeoutMs: LONG_MS }))._unsafeUnwrap();
}

/** The handle says in words what the client is doing. */
async function untilItSays(client: ClientHandle, words: string): Promise<void> {
  const giveUpAt = performance.now() + AT_ONCE_MS;
  while (!String(client).includes(words)) {
    if (performance.now() > giveUpAt) throw new Error(`it never said "${words}", but ${String(client)}`);
    await turn();
  }
}

async function inFlight(): Promise<Prepared> {
  const gateway = await startGateway({ moduleTimeoutMs: 30 });
  const client = await clientOf(gateway);
  gateway.misbehave("status", { do: "stay silent" });
  const arrives = gateway.nextStatus();
  return {
    client,
    timeoutMs: LONG_MS,
    reached: () => arrives.then(() => undefined),
    servesTheNext: true,
    openSockets: () => gateway.openSockets,
    stop: gateway.stop,
  };
}

/** Its answer is on the way and comes just too late. */
async function inFlightAnsweredLate(): Promise<Prepared> {
  const gateway = await startGateway({ moduleTimeoutMs: 30 });
  const client = await clientOf(gateway);
  gateway.misbehave("status", { do: "delay", ms: 15 });
  const arrives = gateway.nextStatus();
  return {
    client,
    timeoutMs: LONG_MS,
    reached: () => arrives.then(() => undefined),
    servesTheNext: true,
    openSockets: () => gateway.openSockets,
    stop: gateway.stop,
  };
}

async function half(): Promise<Prepared> {
  const gateway = await startGateway({ moduleTimeoutMs: 30 });
  const client = await clientOf(gateway);
  gateway.misbehave("status", { do: "stay silent", afterBytes: 11 });
  const arrives = gateway.nextStatus();
  return {
    client,
    timeoutMs: LONG_MS,
    reached: async () => {
      await arrives;
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
    servesTheNext: true,
    openSockets: () => gateway.openSockets,
    stop: gateway.stop,
  };
}

/** The pause before a reconnection, here before one that asks again: it recurs for 350 ms, so one of them is met. */
async function pausing(): Promise<Prepared> {
  const gateway = await startGateway({ cleanUpMs: 200 });
  const client = await clientOf(gateway);
  gateway.kick();
  await untilItSays(client, "disconnected");
  return {
    client,
    timeoutMs: LONG_MS,
    reached: () => untilItSays(client, ", reconnecting)"),
    servesTheNext: true,
    openSockets: () => gateway.openSockets,
    stop: gateway.stop,
  };
}

/** Between the first ALREADY_CONNECTED and the last, with a connection being made. */
async function askingAgain(): Promise<Prepared> {
  const gateway = await startGateway({ cleanUpMs: 200 });
  const client = await clientOf(gateway);
  gateway.kick();
  await untilItSays(client, "disconnected");
  return {
    client,
    timeoutMs: LONG_MS,
    reached: async () => {
      await untilItSays(client, ", reconnecting)");
      await untilItSays(client, ", connecting)");
    },
    servesTheNext: true,
    openSockets: () => gateway.openSockets,
    stop: gateway.stop,
  };
}

async function opening(): Promise<Prepared> {
  const gateway = await startFrozenGateway(CONNECTED);
  const client = await clientOf(gateway);
  await gateway.freeze();
  return {
    client,
    timeoutMs: 50,
    reached: async () => {
      await untilItSays(client, ", connecting)");
      await new Promise((resolve) => setTimeout(resolve, 30));
    },
    servesTheNext: false,
    openSockets: () => 0,
    stop: gateway.stop,
  };
}

async function introducing(): Promise<Prepared> {
  const gateway = await startGateway({ moduleTimeoutMs: 30 });
  const client = await clientOf(gateway);
  gateway.kick();
  gateway.misbehave("connect", { do: "stay silent" });
  const arrives = gateway.nextConnect();
  return {
    client,
    timeoutMs: LONG_MS,
    reached: () => arrives.then(() => undefined),
    servesTheNext: true,
    openSockets: () => gateway.openSockets,
    stop: gateway.stop,
  };
}

async function resent(): Promise<Prepared> {
  const gateway = await startScriptedGateway(async (peer) => {
    if (peer.number > 2) return serve(peer);
    await acceptDevice(peer);
    await peer.readFrame();
    if (peer.number === 1) peer.endOfStream();
    else tellArrived();
    await peer.skip(Infinity);
  });
  let tellArrived = (): void => undefined;
  const arrives = new Promise<void>((resolve) => (tellArrived = resolve));
  return {
    client: await clientOf(gateway),
    timeoutMs: LONG_MS,
    reached: () => arrives,
    servesTheNext: true,
    openSockets: () => gateway.openSockets,
    stop: gateway.stop,
  };
}

export const PHASES = {
  "in flight": inFlight,
  "in flight, its answer about to come": inFlightAnsweredLate,
  "in flight, half of its answer there": half,
  "in the pause before a reconnection": pausing,
  "asking again for a place that is still taken": askingAgain,
  "while the reconnection is being opened": opening,
  "while the reconnection awaits its connect response": introducing,
  "in flight for the second time": resent,
} as const satisfies Record<string, () => Promise<Prepared>>;

export type Phase = keyof typeof PHASES;
