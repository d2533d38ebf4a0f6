import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { endPrograms, startProgram } from "../support/program.js";
import { startScriptedGateway, type Peer, type ScriptedGateway } from "../support/scripted-gateway.js";
import { commandOf, CONNECTED, refused } from "../testing/wire.js";

/** A device comes to rest in each of these, and its process is stopped there. */
const PHASES = [
  "before its connect response",
  "before the command of its status",
  "in the pause before it asks again",
  "before the connect response of its reconnection",
  "before the command of the status sent again",
] as const;

type Phase = (typeof PHASES)[number];

interface Rest {
  /** Tells that the device waits here. */
  readonly reached: () => void;
  /** Settles when the gateway may go on; never, for one that does not answer. */
  readonly over: Promise<void>;
}

const LIMIT_MS = 1_500;

async function accept(peer: Peer): Promise<void> {
  await peer.readFrame();
  await peer.send(CONNECTED);
}

async function restUntilOver({ reached, over }: Rest): Promise<void> {
  reached();
  await over;
}

const SCRIPTS: Readonly<Record<Phase, (peer: Peer, rest: Rest) => Promise<void>>> = {
  "before its connect response": async (peer, rest) => {
    await peer.readFrame();
    await restUntilOver(rest);
    await peer.send(CONNECTED);
    await peer.readFrame();
    await peer.send(commandOf(1));
  },
  "before the command of its status": async (peer, rest) => {
    if (peer.number > 1) return rest.over;
    await accept(peer);
    await peer.readFrame();
    await restUntilOver(rest);
    await peer.send(commandOf(1));
  },
  "in the pause before it asks again": async (peer, rest) => {
    if (peer.number === 1) return dropFirstStatus(peer);
    await peer.readFrame();
    if (peer.number === 2) {
      peer.socket.end(Buffer.from(refused(1), "hex"));
      rest.reached();
      return;
    }
    await rest.over;
    await peer.send(CONNECTED);
    await peer.readFrame();
    await peer.send(commandOf(1));
  },
  "before the connect response of its reconnection": async (peer, rest) => {
    if (peer.number === 1) return dropFirstStatus(peer);
    await peer.readFrame();
    await restUntilOver(rest);
    await peer.send(CONNECTED);
    await peer.readFrame();
    await peer.send(commandOf(1));
  },
  "before the command of the status sent again": async (peer, rest) => {
    if (peer.number === 1) return dropFirstStatus(peer);
    await accept(peer);
    await peer.readFrame();
    await restUntilOver(rest);
    await peer.send(commandOf(1));
  },
};

async function dropFirstStatus(peer: Peer): Promise<void> {
  await accept(peer);
  await peer.readFrame();
  peer.endOfStream();
}

const gateways: ScriptedGateway[] = [];

/** What comes of a device in each phase whose process is stopped there for so long. */
async function outcomes(stoppedMs: number, answersMeanwhile: boolean): Promise<Record<Phase, string>> {
  let resume = (): void => undefined;
  const over = new Promise<void>((resolve) => (resume = resolve));
  const resting: Promise<void>[] = [];
  const ports: string[] = [];
  for (const phase of PHASES) {
    let reached = (): void => undefined;
    resting.push(new Promise((resolve) => (reached = resolve)));
    const gateway = await startScriptedGateway((peer) => SCRIPTS[phase](peer, { reached, over }));
    gateways.push(gateway);
    ports.push(`${gateway.port}`);
  }
  const program = startProgram(["--import", "tsx", "spec/support/stopped-devices.ts", `${LIMIT_MS}`, ...ports]);
  await Promise.race([Promise.all(resting), program.ended]);
  program.send("SIGSTOP");
  if (answersMeanwhile) resume();
  await sleep(stoppedMs);
  program.send("SIGCONT");
  expect(await program.ended).toBe(0);
  expect(program.stderr).toBe("");
  const said = JSON.parse(program.stdout) as string[];
  return Object.fromEntries(PHASES.map((phase, index) => [phase, said[index]])) as Record<Phase, string>;
}

const TIMES = [0.5, 1.5, 10];
const answering = new Map<number, Promise<Record<Phase, string>>>();
const silent = new Map<number, Promise<Record<Phase, string>>>();

beforeAll(() => {
  for (const times of TIMES) {
    answering.set(times, outcomes(times * LIMIT_MS, true));
    silent.set(times, outcomes(times * LIMIT_MS, false));
  }
});

describe.each(TIMES)("a process that is stopped for %d times the limit, as SIGSTOP does,", (times) => {
  it.each(PHASES)(
    "%s gets its command from a gateway that answered meanwhile",
    async (phase) => {
      expect((await answering.get(times))?.[phase]).toBe("01");
    },
    120_000,
  );

  it.each(PHASES)(
    "%s gives up a gateway that does not answer",
    async (phase) => {
      const isConnected = phase === "before the command of the status sent again";
      expect((await silent.get(times))?.[phase]).toBe(isConnected ? "TIMEOUT_OCCURRED" : "UNABLE_TO_CONNECT");
    },
    120_000,
  );
});

afterAll(async () => {
  await endPrograms();
  for (const gateway of gateways) await gateway.stop();
});
