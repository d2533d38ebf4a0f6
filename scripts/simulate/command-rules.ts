import type { Command } from "./gateway.js";
import type { Judge } from "./judge.js";
import type { VirtualSocket } from "./virtual-socket.js";

interface Known {
  readonly command: Command;
  readonly former: Command | undefined;
  isDelivered: boolean;
  hasCompleted: boolean;
}

/** Older ones have been delivered, or never will be. */
const MAX_KNOWN = 1_000;

/** What the library promises of commands: each once, in order, and none lost while the client lives. */
export class CommandRules {
  delivered = 0;
  /** The text of the command that was read last. */
  latest: string | undefined;
  /** Whether a reader has subscribed. */
  isObserved = false;

  private readonly known = new Map<number, Known>();
  private lastSent: Command | undefined;
  private lastDelivered: Command | undefined;
  private due: { readonly socket: VirtualSocket; readonly known: Known; readonly isObserved: boolean }[] = [];

  constructor(private readonly judge: Judge) {}

  sent(command: Command): void {
    const former = this.lastSent?.socket === command.socket ? this.lastSent : undefined;
    this.known.set(command.number, { command, former, isDelivered: false, hasCompleted: false });
    this.known.delete(command.number - MAX_KNOWN);
    this.lastSent = command;
  }

  /** Its last byte is being handed to the library. */
  read(socket: VirtualSocket, command: Command): void {
    const known = this.known.get(command.number);
    if (known !== undefined) this.due.push({ socket, known, isObserved: this.isObserved });
  }

  arrived(bytes: Uint8Array): void {
    const known = this.find(bytes);
    if (known === undefined) return this.judge.violate(`a command that the gateway has not sent: ${shown(bytes)}`);
    const { command } = known;
    const { lastDelivered } = this;
    if (known.isDelivered) this.judge.violate(`command ${command.number} was delivered twice`);
    if (lastDelivered !== undefined && !isLater(command, lastDelivered)) {
      this.judge.violate(`command ${command.number} was delivered after command ${lastDelivered.number}`);
    }
    known.isDelivered = true;
    this.delivered++;
    this.lastDelivered = command;
  }

  /** The command that completed a status, and the one before it on its connection. */
  completing(bytes: Uint8Array): Known | undefined {
    const known = this.find(bytes);
    if (known === undefined)
      this.judge.violate(`a status got a command that the gateway has not sent: ${shown(bytes)}`);
    else if (known.hasCompleted) this.judge.violate(`command ${known.command.number} completed two statuses`);
    if (known !== undefined) known.hasCompleted = true;
    return known;
  }

  /** Is called after each callback; returns whether the latest command is another one now. */
  check(): boolean {
    let isNew = false;
    for (const { socket, known, isObserved } of this.due.splice(0)) {
      // What comes behind a breach of the protocol in the same chunk is not looked at.
      if (socket.destroyed && !known.isDelivered) continue;
      if (isObserved && !known.isDelivered) this.judge.violate(`command ${known.command.number} was lost`);
      this.latest = known.command.text;
      isNew = true;
    }
    return isNew;
  }

  reset(): void {
    this.due = [];
    this.latest = undefined;
    this.isObserved = false;
    this.lastDelivered = undefined;
  }

  private find(bytes: Uint8Array): Known | undefined {
    const text = Buffer.from(bytes).toString("latin1");
    const known = this.known.get(Number.parseInt(text));
    return known?.command.text === text ? known : undefined;
  }
}

function isLater(one: Command, other: Command): boolean {
  return one.socket > other.socket || (one.socket === other.socket && one.index > other.index);
}

function shown(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 40)).toString("latin1");
}
