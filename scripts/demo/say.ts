import { subscribe } from "node:diagnostics_channel";

import type { ClientHandle, DropDiagnostics, ReconnectDiagnostics } from "../../lib/index.js";

/** One line: the time, who, what happens, and the particulars. */
export function say(who: string, what: string, particulars: string): void {
  const now = new Date();
  const time = `${now.toTimeString().slice(0, 8)}.${now.getMilliseconds().toString().padStart(3, "0")}`;
  console.log(`${time}  ${who.padEnd(7)}  ${what.padEnd(12)}  ${particulars}`);
}

export function nameOf(client: ClientHandle): string {
  return client.device.deviceName;
}

/** What a client does by itself is told on the library's diagnostics channels. */
export function sayWhatClientsDo(): void {
  subscribe("fleet-internal-client:drop", (message) => {
    say(nameOf((message as DropDiagnostics).client), "disconnected", "the next status reconnects");
  });
  subscribe("fleet-internal-client:reconnect", (message) => {
    say(nameOf((message as ReconnectDiagnostics).client), "reconnected", "the client did so by itself");
  });
}
