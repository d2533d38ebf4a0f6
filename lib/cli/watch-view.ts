import type { Device, InternalClientError } from "../index.js";
import type { Payloads } from "./payload.js";
import {
  clock,
  cut,
  describeDevice,
  describePlace,
  explain,
  jsonOf,
  milliseconds,
  oneLine,
  seconds,
  toMicroseconds,
} from "./text.js";

/** An event of a watched device. */
export type WatchEvent = {
  readonly time: Date;
  /** In milliseconds of a clock that never runs backwards. */
  readonly at: number;
} & (
  | { readonly event: "connect" }
  /** A status was handed to the kernel. */
  | { readonly event: "status"; readonly status: Uint8Array }
  | {
      readonly event: "command";
      readonly kind: "answer" | "push";
      readonly command: Uint8Array;
      /** From handing the status to the kernel; undefined for a push. */
      readonly roundTripMs: number | undefined;
    }
  | { readonly event: "drop"; readonly reason: string }
  | { readonly event: "reconnect" }
  /** A status or a connect has failed. */
  | { readonly event: "failure"; readonly error: InternalClientError }
  /** There was no status to send. */
  | { readonly event: "unreadable"; readonly problem: string }
  /** The client was destroyed; another one connects after the pause. */
  | { readonly event: "retry"; readonly afterMs: number }
);

/** The watched device, and how its payloads are read. */
export interface Watched {
  readonly device: Device;
  readonly host: string;
  readonly port: number;
  readonly everyMs: number;
  readonly payloads: Payloads;
}

export function wordsOf(event: WatchEvent, { device, payloads }: Pick<Watched, "device" | "payloads">): string {
  switch (event.event) {
    case "connect":
      return "connected";
    case "status":
      return `status: ${payloads.inLine(event.status, { kind: "status", device })}`;
    case "command": {
      const { roundTripMs, command } = event;
      const how = roundTripMs === undefined ? "push" : `answer in ${milliseconds(roundTripMs)}`;
      return `${how}: ${payloads.inLine(command, { kind: "command", device })}`;
    }
    case "drop":
      return oneLine(`disconnected: ${event.reason}`);
    case "reconnect":
      return "reconnected";
    case "failure":
      return `failed: ${explain(event.error)}`;
    case "unreadable":
      return oneLine(`not sent: ${event.problem}`);
    case "retry":
      return `connecting again in ${seconds(event.afterMs)}`;
  }
}

/** An event as one line for scripts. */
export function jsonLineOf(happened: WatchEvent, watched: Pick<Watched, "device" | "payloads">): string {
  const { time, event } = happened;
  return jsonOf({ time, event, ...fieldsOf(happened, watched) });
}

function fieldsOf(
  event: WatchEvent,
  { device, payloads }: Pick<Watched, "device" | "payloads">,
): Record<string, unknown> {
  switch (event.event) {
    case "connect":
    case "reconnect":
      return {};
    case "status":
      return payloads.fields(event.status, { kind: "status", device });
    case "command": {
      const { kind, roundTripMs, command } = event;
      const roundTrip = roundTripMs === undefined ? {} : { roundTripMs: toMicroseconds(roundTripMs) };
      return { kind, ...roundTrip, ...payloads.fields(command, { kind: "command", device }) };
    }
    case "drop":
      return { reason: event.reason };
    case "failure": {
      const { code, returnCode, reason, family } = event.error;
      return { code, returnCode, reason, family, message: explain(event.error) };
    }
    case "unreadable":
      return { message: event.problem };
    case "retry":
      return { afterMs: event.afterMs };
  }
}

/** What the live view shows. It is a value, from which each event makes the next one. */
export interface View {
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
  readonly story: readonly string[];
  /** How many earlier lines were left out. */
  readonly leftOut: number;
}

type ViewState =
  | { readonly kind: "connecting" }
  | { readonly kind: "connected"; readonly since: number }
  | { readonly kind: "disconnected" }
  | { readonly kind: "pausing"; readonly until: number };

interface RoundTrip {
  readonly last: number;
  readonly lowest: number;
  readonly highest: number;
  readonly sum: number;
}

const MAX_LINES = 200;
/** With fewer rows than this, the summary has one row and the events have the others. */
const ROWS_FOR_ALL = 12;

export const emptyView: View = {
  state: { kind: "connecting" },
  statuses: 0,
  answers: 0,
  failures: 0,
  pushes: 0,
  reconnects: 0,
  connectedAnew: -1,
  roundTrip: undefined,
  story: [],
  leftOut: 0,
};

export function viewAfter(view: View, event: WatchEvent, watched: Watched): View {
  const next = { ...view, ...changes(view, event) };
  // Statuses are only counted: as lines they would fill the screen.
  if (event.event === "status") return next;
  const story = [...view.story, `${clock(event.time)} ${wordsOf(event, watched)}`];
  const over = Math.max(0, story.length - MAX_LINES);
  return { ...next, story: story.slice(over), leftOut: view.leftOut + over };
}

function changes(view: View, event: WatchEvent): Partial<View> {
  switch (event.event) {
    case "connect":
      return { state: { kind: "connected", since: event.at }, connectedAnew: view.connectedAnew + 1 };
    case "reconnect":
      return { state: { kind: "connected", since: event.at }, reconnects: view.reconnects + 1 };
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
      return { state: { kind: "pausing", until: event.at + event.afterMs } };
  }
}

function roundTripWith(former: RoundTrip | undefined, last: number): RoundTrip {
  if (former === undefined) return { last, lowest: last, highest: last, sum: last };
  const { lowest, highest, sum } = former;
  return { last, lowest: Math.min(lowest, last), highest: Math.max(highest, last), sum: sum + last };
}

/** At most `rows` lines of at most `columns` columns: the summary, and below it as many events as fit. */
export function render(view: View, watched: Watched, now: number, columns: number, rows: number): string[] {
  const summary = rows < ROWS_FOR_ALL ? [shortSummary(view, watched, now)] : [...longSummary(view, watched, now), ""];
  const room = rows - summary.length;
  const lines = room > 0 ? [...summary, ...view.story.slice(-room)] : summary;
  if (lines.at(-1) === "") lines.pop();
  return lines.slice(0, rows).map((line) => cut(line, columns));
}

/** What remains on the shell's screen at the end: the events, then the summary just above the prompt. */
export function ending(view: View, watched: Watched, now: number): string[] {
  const hint = `(${view.leftOut} earlier lines are left out; --log FILE keeps all)`;
  return [...(view.leftOut > 0 ? [hint] : []), ...view.story, "", ...longSummary(view, watched, now)];
}

function shortSummary(view: View, { device, host, port }: Watched, now: number): string {
  const { statuses, answers, pushes, failures, roundTrip } = view;
  const last = roundTrip === undefined ? "" : ` in ${milliseconds(roundTrip.last)}`;
  const counts = `sent ${statuses}, answers ${answers}${last}, pushes ${pushes}, failures ${failures}`;
  return `${stateInWords(view.state, now)}; ${counts}; ${oneLine(JSON.stringify(device.deviceName))} at ${describePlace(host, port)}`;
}

function longSummary(view: View, { device, host, port, everyMs }: Watched, now: number): string[] {
  const { statuses, answers, failures, pushes, reconnects, connectedAnew } = view;
  return [
    `device      ${describeDevice(device)}`,
    `gateway     ${describePlace(host, port)}`,
    `state       ${stateInWords(view.state, now)}`,
    `statuses    ${statuses} sent, one every ${everyMs / 1000} s; failures ${failures}`,
    `commands    answers ${answers}, pushes ${pushes}`,
    `round trip  ${roundTripInWords(view.roundTrip, answers)}`,
    `reconnects  ${reconnects}; connected again ${Math.max(0, connectedAnew)}`,
  ];
}

function stateInWords(state: ViewState, now: number): string {
  switch (state.kind) {
    case "connecting":
      return "connecting";
    case "connected":
      return `connected for ${seconds(now - state.since)}`;
    case "disconnected":
      return "disconnected; the next status reconnects";
    case "pausing": {
      const left = state.until - now;
      return left > 0 ? `not connected; connecting again in ${seconds(left)}` : "connecting";
    }
  }
}

function roundTripInWords(roundTrip: RoundTrip | undefined, answers: number): string {
  if (roundTrip === undefined) return "none yet";
  const { last, lowest, highest, sum } = roundTrip;
  const all = `lowest ${milliseconds(lowest)}, average ${milliseconds(sum / answers)}, highest ${milliseconds(highest)}`;
  return `${milliseconds(last)} (${all})`;
}
