/** Runs the work of a row in processes of its own, slice by slice in turns. */
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { programFile } from "./build.js";
import type { Work } from "./programs/workloads.js";
import type { Row } from "./rows.js";
import type { Sample } from "./sample.js";

/** Whatever hangs ends here, so that a run is bounded. */
const longestRunMs = 120_000;

const taskset = { command: "taskset", args: ["-c", "1"] };

/** Whether all processes can be held on one CPU: across two, wake-ups decide what is measured. */
export const isPinned =
  process.platform === "linux" &&
  spawnSync(taskset.command, [...taskset.args, process.execPath, "-e", ""]).status === 0;

const pin = isPinned ? [taskset.command, ...taskset.args] : [];

interface Program {
  /** Writes `input` to it and gives the next line that it prints. */
  readonly ask: (input: string) => Promise<string>;
  readonly end: () => Promise<unknown>;
}

function startProgram(name: string, ...args: readonly string[]): Program {
  const [command = "", ...rest] = [...pin, process.execPath, "--expose-gc", programFile(name), ...args];
  const stdio: ["pipe", "pipe", "inherit"] = ["pipe", "pipe", "inherit"];
  const child = spawn(command, rest, { stdio, timeout: longestRunMs, killSignal: "SIGKILL" });
  const gone = new Promise((resolve) => child.once("close", resolve));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]() as AsyncIterator<string, undefined>;
  child.stdin.on("error", () => undefined);
  return {
    ask: async (input) => {
      child.stdin.write(input);
      const { value } = await lines.next();
      if (value === undefined) throw new Error(`the ${name} ended too early`);
      return value;
    },
    end: () => {
      child.stdin.end();
      return gone;
    },
  };
}

/** One slice of each, done in one turn. */
export interface Turn {
  readonly itself: Sample;
  readonly reference: Sample;
  readonly measured: Sample;
}

/** A workload, and the folder of the build that it loads. */
export interface Subject {
  readonly workload: Row["library"];
  readonly build: string;
}

async function measureOnce(row: Row, subjects: readonly Subject[]): Promise<Turn[]> {
  const { bytes, devices, sliceMs } = row;
  const gateway = startProgram("gateway", row.gateway);
  const programs = [gateway];
  try {
    const port = Number(await gateway.ask(""));
    const workers = subjects.map(({ workload, build }) => {
      const work: Work = { port, bytes, devices, sliceMs, build: `${pathToFileURL(build).href}/` };
      return startProgram("worker", workload, JSON.stringify(work));
    });
    programs.push(...workers);
    const turns: Turn[] = [];
    const last = row.warmUps + row.rounds - 1;
    for (let round = 0; round <= last; round += 1) {
      const samples: Sample[] = [];
      for (let taken = 0; taken < workers.length; taken += 1) {
        const at = (round + taken) % workers.length;
        samples[at] = JSON.parse((await workers[at]?.ask("\n")) ?? "") as Sample;
        // A gateway may not have as many files as the sockets of all workers.
        if (round === last) await workers[at]?.end();
      }
      const [itself = {}, reference = {}, measured = {}] = samples;
      turns.push({ itself, reference, measured });
    }
    return turns.slice(row.warmUps);
  } finally {
    await Promise.all(programs.map(({ end }) => end()));
  }
}

/**
 * Measures a subject beside a reference, and the reference beside itself, so that whatever else the machine does meets
 * all three. Who is first in a turn changes, and nobody is ever last in one turn and first in the next: the CPU's caches
 * would still hold its memory.
 */
export async function measure(row: Row, reference: Subject, measured: Subject): Promise<Turn[]> {
  const turns: Turn[] = [];
  for (let set = 0; set < row.processes; set += 1) {
    turns.push(...(await measureOnce(row, [reference, reference, measured])));
  }
  return turns;
}
