import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { endPrograms, startProgram } from "../support/program.js";
import { startScriptedGateway, type Peer, type ScriptedGateway } from "../support/scripted-gateway.js";
import { commandOf, CONNECTED, refused } from "../testing/wire.js";

const LIMIT_MS = 1_500;

/** A device comes to rest in each of these; its process is stopped there, and the gateway goes on once that is over. */
const PHASES: Readonly<Record<string, (peer: Peer, rest: () => Promise<void>) => Promise<void>>> = {
  "before its connect response": async (peer, rest) => {
    await peer.readFrame();
    await rest();
    await acceptAndAnswer(peer);
  },
  "before the command of its status": async (peer, rest) => {
    if (peer.number > 1) return rest();
    await accept(peer);
    await rest();
    await peer.send(commandOf(1));
  },
  "in the pause before it asks again": async (peer, rest) => {
    if (peer.number === 1) return dropFirstStatus(peer);
    await peer.readFrame();
    if (peer.number === 2) {
      peer.socket.end(Buffer.from(refused(1), "hex"));
      return rest();
    }
    await rest();
    await acceptAndAnswer(peer);
  },
  "before the connect response of its reconnection": async (peer, rest) => {
    if (peer.number === 1) return dropFirstStatus(peer);
    await peer.readFrame();
    await rest();
    await acceptAndAnswer(peer);
  },
  "before the command of the status sent again": async (peer, rest) => {
    if (peer.number === 1) return dropFirstStatus(peer);
    await accept(peer);
    await rest();
    await peer.send(commandOf(1));
  },
};

async function acceptAndAnswer(peer: Peer): Promise<void> {
  await peer.send(CONNECTED);
  await peer.readFrame();
  await peer.send(commandOf(1));
}

/** Lets the device in, and takes its status. */
async function accept(peer: Peer): Promise<void> {
  await peer.readFrame();
  await peer.send(CONNECTED);
  await peer.readFrame();
}

async function dropFirstStatus(peer: Peer): Promise<void> {
  await accept(peer);
  peer.endOfStream();
}

const gateways: ScriptedGateway[] = [];

/** What comes of a device in each phase whose process is stopped there for so long. */
async function outcomes(stoppedMs: number, answersMeanwhile: boolean): Promise<Record<string, string>> {
  let resume = (): void => undefined;
  const over = new Promise<void>((resolve) => (resume = resolve));
  const resting: Promise<void>[] = [];
  const ports: string[] = [];
  for (const script of Object.values(PHASES)) {
    let tellReached = (): void => undefined;
    resting.push(new Promise((resolve) => (tellReached = resolve)));
    const rest = (): Promise<void> => {
      tellReached();
      return over;
    };
    const gateway = await startScriptedGateway((peer) => script(peer, rest));
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
  return Object.fromEntries(Object.keys(PHASES).map((phase, index) => [phase, said[index]!]));
}

const TIMES = [0.5, 1.5, 10];
const answering = new Map<number, Promise<Record<string, string>>>();
const silent = new Map<number, Promise<Record<string, string>>>();

beforeAll(() => {
  for (const times of TIMES) {
    answering.set(times, outcomes(times * LIMIT_MS, true));
    silent.set(times, outcomes(times * LIMIT_MS, false));
  }
});

afterAll(async () => {
  await endPrograms();
  for (const gateway of gateways) await gateway.stop();
});

describe.each(TIMES)("a process that is stopped for %d times the limit, as SIGSTOP does,", (times) => {
  it("gets its command from a gateway that answered meanwhile, wherever it was stopped", async () => {
    expect(await answering.get(times)).toEqual({
      "before its connect response": "01",
      "before the command of its status": "01",
      "in the pause before it asks again": "01",
      "before the connect response of its reconnection": "01",
      "before the command of the status sent again": "01",
    });
  }, 120_000);

  it("gives up a gateway that does not answer, wherever it was stopped", async () => {
    expect(await silent.get(times)).toEqual({
      "before its connect response": "UNABLE_TO_CONNECT",
      "before the command of its status": "UNABLE_TO_CONNECT",
      "in the pause before it asks again": "UNABLE_TO_CONNECT",
      "before the connect response of its reconnection": "UNABLE_TO_CONNECT",
      "before the command of the status sent again": "TIMEOUT_OCCURRED",
    });
  }, 120_000);
});
