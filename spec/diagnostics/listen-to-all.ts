import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, beforeEach } from "@jest/globals";
import type { DiagnosticsMessages } from "../../lib/index.js";

export type Name = keyof DiagnosticsMessages;
export type Message = DiagnosticsMessages[Name] & Readonly<Record<string, unknown>>;

const names: readonly Name[] = ["connect", "refusal", "status", "command", "reconnect", "drop", "ignore", "destroy"];

/** Has the listener told of everything while a spec runs. */
export function listenToAll(listener: (name: Name, message: Message) => void): void {
  const listeners = names.map((name) => {
    const tell = (message: unknown): void => listener(name, message as Message);
    return [`fleet-internal-client:${name}`, tell] as const;
  });
  beforeEach(() => {
    for (const [channel, tell] of listeners) subscribe(channel, tell);
  });
  afterEach(() => {
    for (const [channel, tell] of listeners) unsubscribe(channel, tell);
  });
}
