import { setTimeout as sleep } from "node:timers/promises";
import { startGateway, type GatewayOptions, type TestingGateway } from "../../lib/testing.js";
import { writeTag } from "./ledger.js";

/** What a status asks of the gateway that it reaches. */
export type Wish = "answer" | "answer slowly" | "push first" | "push afterwards" | "push both";

const SLOW_MS = 15;

/** A status with its number, that the answer will carry. */
export function statusOf(number: number, wish: Wish): Uint8Array {
  return Buffer.from(`${number} ${wish}`);
}

/** A testing gateway all of whose commands carry a tag. */
export interface TaggedGateway {
  readonly gateway: TestingGateway;
  /** The connection on which the device with that role connected last; 0 if it never has. */
  readonly connectionOf: (deviceRole: string) => number;
  /** Pushes a tagged command if the device is connected. */
  readonly push: (deviceRole: string) => void;
  readonly stop: () => Promise<void>;
}

interface Line {
  readonly connection: number;
  sent: number;
}

const NO_LINE: Line = { connection: 0, sent: 0 };

export async function startTaggedGateway(options: Omit<GatewayOptions, "answer"> = {}): Promise<TaggedGateway> {
  const lines = new Map<string, Line>();

  const lineOf = (role: string): Line => lines.get(role) ?? NO_LINE;

  function nextTag(device: string, line: Line, answers: number | undefined): Uint8Array {
    line.sent += 1;
    return writeTag({ device, connection: line.connection, sequence: line.sent, answers });
  }

  function push(deviceRole: string): void {
    if (!gateway.devices.some((device) => device.deviceRole === deviceRole)) return;
    gateway.push(nextTag(deviceRole, lineOf(deviceRole), undefined), { deviceRole });
  }

  function answer(status: Uint8Array, { deviceRole }: { deviceRole: string }) {
    const [number, ...words] = Buffer.from(status).toString().split(" ");
    const line = lineOf(deviceRole);
    const pushHere = (): void => {
      if (line === lineOf(deviceRole)) push(deviceRole);
    };
    const wish = words.join(" ") as Wish;
    switch (wish) {
      case "answer slowly":
        return sleep(SLOW_MS).then(() => nextTag(deviceRole, line, Number(number)));
      case "answer":
        break;
      case "push first":
        pushHere();
        break;
      case "push afterwards":
        setImmediate(pushHere);
        break;
      case "push both":
        pushHere();
        setImmediate(pushHere);
        break;
    }
    return nextTag(deviceRole, line, Number(number));
  }

  const gateway = await startGateway({ ...options, answer });
  void followConnects(gateway, lines);

  return {
    gateway,
    connectionOf: (role) => lineOf(role).connection,
    push,
    stop: () => gateway.stop(),
  };
}

async function followConnects(gateway: TestingGateway, lines: Map<string, Line>): Promise<void> {
  try {
    for (;;) {
      const { device, connection } = await gateway.nextConnect();
      lines.set(device.deviceRole, { connection, sent: 0 });
    }
  } catch {
    return; // the gateway was stopped
  }
}
