import type { InternalClientError } from "../index.js";
import { clock, milliseconds, seconds } from "./describe.js";
import { oneLine, payloadFields, roundTripField, shown } from "./payload.js";

/** What happens to a device that is watched. */
export type WatchEvent = { readonly time: Date } & (
  | { readonly event: "connect" }
  /** A status is about to be sent. */
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
  /** The client is gone; another connects after the pause. */
  | { readonly event: "retry"; readonly afterMs: number }
);

/** As one line for people; undefined for what would only fill the page. */
export function lineOf(event: WatchEvent, hex: boolean): string | undefined {
  const what = inWords(event, hex);
  return what === undefined ? undefined : `${clock(event.time)} ${what}`;
}

function inWords(event: WatchEvent, hex: boolean): string | undefined {
  switch (event.event) {
    case "connect":
      return "connected";
    case "status":
      return undefined;
    case "command": {
      const { roundTripMs, command } = event;
      return `${roundTripMs === undefined ? "push" : `answer in ${milliseconds(roundTripMs)}`}: ${shown(command, hex)}`;
    }
    case "drop":
      return oneLine(`disconnected: ${event.reason}`);
    case "reconnect":
      return "reconnected";
    case "failure":
      return oneLine(`failed: ${event.error.message}`);
    case "unreadable":
      return oneLine(`not sent: ${event.problem}`);
    case "retry":
      return `connecting anew in ${seconds(event.afterMs)}`;
  }
}

/** As one line for scripts. */
export function jsonOf(happened: WatchEvent): string {
  const { time, event } = happened;
  return JSON.stringify({ time, event, ...fieldsOf(happened) });
}

function fieldsOf(event: WatchEvent): Record<string, unknown> {
  switch (event.event) {
    case "connect":
    case "reconnect":
      return {};
    case "status":
      return payloadFields(event.status);
    case "command": {
      const { kind, roundTripMs, command } = event;
      const roundTrip = roundTripMs === undefined ? {} : { roundTripMs: roundTripField(roundTripMs) };
      return { kind, ...roundTrip, ...payloadFields(command) };
    }
    case "drop":
      return { reason: event.reason };
    case "failure": {
      const { code, returnCode, family, message } = event.error;
      return { code, returnCode, family, message };
    }
    case "unreadable":
      return { message: event.problem };
    case "retry":
      return { afterMs: event.afterMs };
  }
}
