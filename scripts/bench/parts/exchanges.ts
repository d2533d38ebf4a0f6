import { join } from "node:path";
import { pathToFileURL } from "node:url";

import type { Effort } from "../effort.js";
import { openFilesLimit } from "../open-files.js";
import { runProgram, withGateway } from "../processes.js";
import type { Comparison } from "../programs/compare.js";
import type { Contender, ExchangeSettings } from "../programs/exchanges.js";
import type { Metric, Report } from "../report.js";
import type { Target } from "../targets.js";
import { floor, floorAgain, type Part } from "./part.js";

const metrics: readonly Metric[] = [
  { key: "rate", heading: "exchanges/s", digits: 0 },
  { key: "cpu", heading: "CPU µs each", digits: 1 },
];

const reference: Contender = { name: floor, kind: "owning", source: "onread" };

const library: Contender = { name: "exchange", kind: "exchange", source: "onread" };

/** What the targets need. */
const essential: readonly Contender[] = [{ ...reference, name: floorAgain }, library];

const awaitedFloor: Contender = { name: "net onread, owning, awaited", kind: "owningAwaited", source: "onread" };

const resultFloor: Contender = { name: "net onread, owning, as a Result", kind: "owningResult", source: "onread" };

const otherFloors: readonly Contender[] = [
  { name: "net onread, discarding", kind: "discarding", source: "onread" },
  { name: "net data events, discarding", kind: "discarding", source: "data" },
];

const everything: readonly Contender[] = [
  ...essential,
  { name: "sendStatus + getCommand", kind: "sendStatus", source: "onread" },
  { name: "throwing exchange", kind: "throwing", source: "onread" },
  awaitedFloor,
  resultFloor,
  ...otherFloors,
];

interface Case {
  readonly title: string;
  readonly mode: "whole" | "split";
  readonly payloadBytes: number;
  readonly devices: number;
  readonly groups: number;
  /** How many times longer than others its slices are. */
  readonly longer: number;
  /**
   * How many fresh processes share the pairs. Each lays out its memory anew, and where in a page a receive buffer
   * begins makes large receives up to twice as slow: in one process that would be taken for a difference.
   */
  readonly processes: number;
  readonly others: readonly Contender[];
  readonly targets: readonly Target[];
}

const rate = (least: number, kept?: number): Target => ({ of: library.name, metric: "rate", least, kept });

const cpu = (most: number, kept?: number): Target => ({ of: library.name, metric: "cpu", most, kept });

const alone = { mode: "whole", devices: 1, groups: 4, longer: 1, processes: 4, others: everything } as const;

const sequentialCases: readonly Case[] = [
  { ...alone, title: "16 B", payloadBytes: 16, targets: [rate(0.92), cpu(1.15)] },
  { ...alone, title: "1 KiB", payloadBytes: 1024, targets: [rate(0.88)] },
  // Whether memory has to be fetched anew from the system for each answer differs from one process to the next.
  { ...alone, title: "64 KiB", payloadBytes: 64 * 1024, processes: 8, targets: [rate(0.88, 0.75)] },
  { ...alone, title: "1 MiB", payloadBytes: 1024 * 1024, processes: 8, targets: [rate(0.86)] },
  { ...alone, title: "16 B, answers in two writes", mode: "split", payloadBytes: 16, targets: [rate(0.9)] },
];

const together = {
  mode: "whole",
  payloadBytes: 16,
  groups: 1,
  // Where each device's memory happens to lie moves these by a tenth from one process to the next.
  targets: [rate(0.88, 0.75), cpu(1.15, 1.5)],
} as const;

const deviceCases: readonly Case[] = [
  {
    ...together,
    title: "100 devices",
    devices: 100,
    longer: 1,
    processes: 4,
    others: [...essential, resultFloor, ...otherFloors],
  },
  // A slice is to hold several exchanges of each device.
  { ...together, title: "1000 devices", devices: 1000, longer: 4, processes: 2, others: [...essential, resultFloor] },
];

interface Lineup {
  readonly reference: Contender;
  readonly others: readonly Contender[];
}

/** The same build twice is two libraries: a query makes another module of it. */
const againstBuild = (folder: string): Lineup => {
  const build = pathToFileURL(join(folder, "dist", "esm", "index.js")).href;
  return {
    reference: { ...library, name: "exchange, then", build },
    others: [
      { ...library, name: floorAgain, build: `${build}?again` },
      { ...library, name: "exchange, now" },
    ],
  };
};

const lineupOf = ({ others }: Case, { against, isShort }: Effort): Lineup =>
  against === undefined ? { reference, others: isShort ? essential : others } : againstBuild(against);

const measureOnce = (each: Case, lineup: Lineup, effort: Effort): Promise<Comparison[]> =>
  withGateway([each.mode], ([port = 0]) => {
    const { payloadBytes, devices, groups } = each;
    const rounds = effort.rounds / each.processes;
    const sliceMs = effort.sliceMs * each.longer;
    const settings = { port, payloadBytes, devices, groups, rounds, sliceMs, ...lineup };
    return runProgram<Comparison[]>("exchanges", settings satisfies ExchangeSettings);
  });

const measure = async (each: Case, lineup: Lineup, effort: Effort): Promise<Comparison[]> => {
  const found: Comparison[] = [];
  for (let done = 0; done < each.processes; done += 1) {
    found.push(...(await measureOnce(each, lineup, effort)));
  }
  const pairsOf = (wanted: string) => found.filter(({ name }) => name === wanted).flatMap(({ pairs }) => pairs);
  return lineup.others.map(({ name }) => ({ name, pairs: pairsOf(name) }));
};

const measureCase = async (report: Report, effort: Effort, each: Case): Promise<void> => {
  const { title } = each;
  const lineup = lineupOf(each, effort);
  const sockets = (lineup.others.length + 1) * each.devices * each.groups;
  if (sockets > openFilesLimit()) {
    report.note(`\n${title}: not measured, it takes ${sockets} sockets and this system allows ${openFilesLimit()}`);
    return;
  }
  const comparisons = await measure(each, lineup, effort);
  const targets = effort.against === undefined ? each.targets : [];
  report.table({ title, reference: lineup.reference.name, itself: floorAgain, metrics, comparisons, targets });
};

const sequential: Part = async (report, effort) => {
  report.heading("One exchange after the other on one connection");
  report.note("The net lines call back and make no promise; the library is awaited, as its users do.");
  if (!effort.isShort) {
    report.note(`"${awaitedFloor.name}" shows what awaiting alone costs,`);
    report.note(`"${resultFloor.name}" what awaiting a ResultAsync does.`);
  }
  for (const each of sequentialCases) {
    await measureCase(report, effort, each);
  }
};

const devices: Part = async (report, effort) => {
  report.heading("Many devices in one process, each with one exchange of 16 B outstanding");
  for (const each of deviceCases) {
    await measureCase(report, effort, each);
  }
};

export const exchanges: Part = async (report, effort) => {
  await sequential(report, effort);
  await devices(report, effort);
};
