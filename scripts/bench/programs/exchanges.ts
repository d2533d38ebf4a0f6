/** Exchanges of a status and its answer: one device at a time, or many at once. */
import { compare, type Subject } from "./compare.js";
import { contenders, type ContenderKind } from "./contenders.js";
import { payloadOf } from "./frames.js";
import { finish, settings } from "./message.js";
import { dataEvents, onread } from "./raw-device.js";
import { timed, type Loop } from "./slices.js";

export interface Contender {
  readonly name: string;
  readonly kind: ContenderKind;
  /** Where a raw socket reads from; the library has its own way. */
  readonly source: "onread" | "data";
  /** The address of the build to be measured; the present one when left out. */
  readonly build?: string;
}

export interface ExchangeSettings {
  readonly port: number;
  readonly payloadBytes: number;
  /** How many devices exchange at once. */
  readonly devices: number;
  /** How many such groups of devices take turns, slice by slice. */
  readonly groups: number;
  readonly rounds: number;
  readonly sliceMs: number;
  readonly reference: Contender;
  readonly others: readonly Contender[];
}

const connectsAtOnce = 100;

const { port, payloadBytes, devices, groups, rounds, sliceMs, reference, others } = settings() as ExchangeSettings;

const openGroup = async ({ kind, source, build }: Contender): Promise<Loop[]> => {
  const payload = payloadOf(payloadBytes);
  const from = source === "data" ? dataEvents : onread();
  const group: Loop[] = [];
  while (group.length < devices) {
    const batch = Math.min(connectsAtOnce, devices - group.length);
    group.push(
      ...(await Promise.all(Array.from({ length: batch }, () => contenders[kind](port, payload, from, build)))),
    );
  }
  return group;
};

const openSubject = async (contender: Contender): Promise<Subject> => {
  const open: Loop[][] = [];
  for (let group = 0; group < groups; group += 1) {
    open.push(await openGroup(contender));
  }
  return { name: contender.name, slice: (round) => timed(open[round % groups] ?? [], sliceMs) };
};

const subjects: Subject[] = [];
for (const contender of others) {
  subjects.push(await openSubject(contender));
}
finish(await compare(await openSubject(reference), subjects, { rounds, warmUps: 12 }));
