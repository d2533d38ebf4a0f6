import { expect } from "@jest/globals";
import { Transport, type TransportEvents, type TransportTarget } from "../../lib/client/transport.js";
import { hex } from "../support/bytes.js";

const transports = new Set<Transport>();

/** A transport, and what it has reported, in order. */
export class Recorder implements TransportEvents {
  readonly story: string[] = [];
  cause: Error | undefined;
  readonly transport: Transport;
  onOpened = (): void => undefined;
  private onEvent = (): void => undefined;

  constructor(target: Partial<TransportTarget>) {
    this.transport = new Transport({ host: "gateway.test", port: 1, ...target }, this);
    if (this.story.length > 0) throw new Error("an event came out of the constructor");
    transports.add(this.transport);
  }

  opened(): void {
    this.report("opened");
    this.onOpened();
  }

  received(chunk: Uint8Array, length: number): void {
    this.report(hex(chunk.subarray(0, length)));
  }

  closed(cause: Error | undefined): void {
    this.cause = cause;
    this.report(cause === undefined ? "closed" : "failed");
  }

  /** Resolves once an event of this name has come. */
  readonly until = async (event: string): Promise<void> => {
    while (!this.story.includes(event)) await this.next();
  };

  readonly next = (): Promise<void> => new Promise((resolve) => (this.onEvent = resolve));

  private report(event: string): void {
    this.story.push(event);
    this.onEvent();
  }
}

/** A transport to there that has opened. */
export async function opened(target: Partial<TransportTarget>): Promise<Recorder> {
  const recorder = new Recorder(target);
  await recorder.until("opened");
  return recorder;
}

/** Why a transport to there has failed, before it opened. */
export async function failureOf(target: Partial<TransportTarget>): Promise<Error> {
  const recorder = new Recorder(target);
  await recorder.until("failed");
  expect(recorder.story).toEqual(["failed"]);
  return recorder.cause!;
}

export async function expectEcho({ transport, until }: Recorder): Promise<void> {
  transport.write(Uint8Array.of(7));
  await until("07");
}

/** For `afterEach`. */
export async function closeAll(): Promise<void> {
  await Promise.all([...transports].map((transport) => transport.close()));
  transports.clear();
}
