import { subscribe, unsubscribe } from "node:diagnostics_channel";

interface Message {
  readonly client: unknown;
  readonly reason?: string;
  readonly willAskAgain?: boolean;
}

const NAMES = ["connect", "status", "command", "drop", "reconnect", "ignore", "destroy", "refusal"];

/** Listens on all of the library's channels; returns how to stop. */
export function listenToDiagnostics(onMessage: (name: string, message: Message) => void): () => void {
  const listeners = NAMES.map((name) => {
    const channel = `fleet-internal-client:${name}`;
    const listener = (message: unknown): void => onMessage(name, message as Message);
    subscribe(channel, listener);
    return { channel, listener };
  });
  return () => {
    for (const { channel, listener } of listeners) unsubscribe(channel, listener);
  };
}
