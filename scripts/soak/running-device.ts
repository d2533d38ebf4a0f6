import { setTimeout as sleep } from "node:timers/promises";
import { runDevice } from "../../lib/index.js";
import type { Random } from "../random.js";
import { configOf, WISHES, type Surroundings } from "./device.js";
import { Ledger } from "./ledger.js";
import { statusOf } from "./tagged-gateway.js";

const STATUS_TIMEOUT_MS = 1_000;
const REPEAT_AFTER_MS = 100;
const LONGEST_RETRY_MS = 200;

/** A device that is run by `runDevice` until the soak is over. */
export async function runOne(role: string, random: Random, around: Surroundings): Promise<void> {
  const { account, over, longestPauseMs, tagged } = around;
  const ledger = new Ledger(role, () => tagged.connectionOf(role));

  async function* statuses(): AsyncGenerator<Uint8Array> {
    for (let number = 1; !over.aborted; number += 1) {
      await sleep(random.between(1, longestPauseMs), undefined, { signal: over }).catch(() => undefined);
      account.statusesSent += 1;
      yield statusOf(number, random.pick(WISHES));
    }
  }

  const options = {
    timeoutMs: STATUS_TIMEOUT_MS,
    repeatAfterMs: REPEAT_AFTER_MS,
    retryDelayMs: () => random.between(1, LONGEST_RETRY_MS),
    signal: over, // or it would go on while it cannot connect
  };
  const ended = account.begun();
  try {
    for await (const command of runDevice(configOf(role, around), statuses(), options)) {
      if (command.isErr()) {
        account.error(`runDevice: ${command.error.code}`);
        continue;
      }
      account.commandsReceived += 1;
      ledger.arrived(command.value);
    }
    if (!over.aborted) account.wrong(`runDevice of ${role} ended before the soak was over`);
  } catch (thrown) {
    account.wrong(`runDevice of ${role} threw: ${String(thrown)}`);
  }
  ended();
  account.reconnections += ledger.reconnections;
  for (const problem of ledger.problems) account.wrong(problem);
}
