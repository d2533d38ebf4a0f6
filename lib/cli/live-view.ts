import type { Device } from "../index.js";
import { describeDevice, describePlace, milliseconds, seconds } from "./describe.js";
import { oneLine } from "./payload.js";
import { lineOf, type WatchEvent } from "./watch-events.js";

/** What the live view shows, as a value: each event makes the next one of it. */
export interface View {
  readonly device: Device;
  readonly host: string;
  readonly port: number;
  readonly everyMs: number;
  readonly hex: boolean;
  readonly state: ViewState;
  readonly statuses: number;
  readonly answers: number;
  readonly failures: number;
  readonly pushes: number;
  readonly reconnects: number;
  /** Clients connected after the first. */
  readonly connectedAnew: number;
  readonly roundTrip: RoundTrip | undefined;
  /** The latest lines, oldest first. */
  readonly log: readonly string[];
}

type ViewState =
  | { readonly kind: "connecting" }
  | { readonly kind: "connected"; readonly since: Date }
  | { readonly kind: "disconnected" }
  | { readonly kind: "pausing"; readonly until: Date };

interface RoundTrip {
  readonly last: number;
  readonly lowest: number;
  readonly highest: number;
  readonly sum: number;
}

const MOST_LINES = 200;

export function emptyView(about: Pick<View, "device" | "host" | "port" | "everyMs" | "hex">): View {
  return {
    ...about,
    state: { kind: "connecting" },
    statuses: 0,
    answers: 0,
    failures: 0,
    pushes: 0,
    reconnects: 0,
    connectedAnew: -1,
    roundTrip: undefined,
    log: [],
  };
}

export function viewAfter(view: View, event: WatchEvent): View {
  const line = lineOf(event, view.hex);
  const log = line === undefined ? view.log : [...view.log, line].slice(-MOST_LINES);
  return { ...view, log, ...changes(view, event) };
}

function changes(view: View, event: WatchEvent): Partial<View> {
  switch (event.event) {
    case "connect":
      return { state: { kind: "connected", since: event.time }, connectedAnew: view.connectedAnew + 1 };
    case "reconnect":
      return { state: { kind: "connected", since: event.time }, reconnects: view.reconnects + 1 };
    case "status":
      return { statuses: view.statuses + 1 };
    case "command":
      if (event.roundTripMs === undefined) return { pushes: view.pushes + 1 };
      return { answers: view.answers + 1, roundTrip: roundTripWith(view.roundTrip, event.roundTripMs) };
    case "drop":
      return { state: { kind: "disconnected" } };
    case "failure":
      return { failures: view.failures + 1 };
    case "unreadable":
      return {};
    case "retry":
      return { state: { kind: "pausing", until: new Date(event.time.getTime() + event.afterMs) } };
  }
}

function roundTripWith(former: RoundTrip | undefined, last: number): RoundTrip {
  if (former === undefined) return { last, lowest: last, highest: last, sum: last };
  const { lowest, highest, sum } = former;
  return { last, lowest: Math.min(lowest, last), highest: Math.max(highest, last), sum: sum + last };
}

/** At most `rows` lines of at most `columns` characters: the summary, and below it as much of the log as fits. */
export function render(view: View, now: Date, columns: number, rows: number): string[] {
  const summary = summaryOf(view, now);
  const room = Math.max(0, rows - summary.length - 1);
  const log = room === 0 ? [] : view.log.slice(-room);
  const lines = log.length === 0 ? summary : [...summary, "", ...log];
  return lines.slice(0, rows).map((line) => Array.from(line).slice(0, columns).join(""));
}

function summaryOf(view: View, now: Date): string[] {
  const { device, host, port, everyMs, statuses, answers, failures, pushes, reconnects, connectedAnew } = view;
  const anew = Math.max(0, connectedAnew);
  return [
    oneLine(`device      ${describeDevice(device)}`),
    oneLine(`gateway     ${describePlace(host, port)}`),
    `state       ${stateInWords(view.state, now)}`,
    `statuses    ${statuses} sent, one every ${everyMs / 1000} s; failures ${failures}`,
    `commands    answers ${answers}, pushes ${pushes}`,
    `round trip  ${roundTripInWords(view.roundTrip, answers)}`,
    `reconnects  ${reconnects}; connected anew ${anew}`,
  ];
}

function stateInWords(state: ViewState, now: Date): string {
  switch (state.kind) {
    case "connecting":
      return "connecting";
    case "connected":
      return `connected for ${seconds(now.getTime() - state.since.getTime())}`;
    case "disconnected":
      return "disconnected; the next status reconnects";
    case "pausing": {
      const left = state.until.getTime() - now.getTime();
      return left > 0 ? `not connected; connecting anew in ${seconds(left)}` : "connecting";
    }
  }
}

function roundTripInWords(roundTrip: RoundTrip | undefined, answers: number): string {
  if (roundTrip === undefined) return "none yet";
  const { last, lowest, highest, sum } = roundTrip;
  const all = `lowest ${milliseconds(lowest)}, average ${milliseconds(sum / answers)}, highest ${milliseconds(highest)}`;
  return `${milliseconds(last)} (${all})`;
}
