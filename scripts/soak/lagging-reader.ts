import { setTimeout as sleep } from "node:timers/promises";
import { commands, type ClientHandle } from "../../lib/index.js";
import type { Random } from "../random.js";
import type { Account } from "./device.js";
import { isLater, readTag, type Tag } from "./ledger.js";

const MARK = 2;
const LONGEST_PAUSE_MS = 500;

/** Reads a client's commands too slowly: it must get them in order and without a gap until it is told that it fell behind. */
export async function readSlowly(handle: ClientHandle, random: Random, account: Account): Promise<void> {
  let last: Tag | undefined;
  let isOver = false;
  for await (const command of commands(handle, { highWaterMark: MARK })) {
    if (isOver) account.wrong("a reader that fell behind got more");
    if (command.isErr()) {
      isOver = true;
      account.error(`reader: ${command.error.reason}`);
      continue;
    }
    const tag = readTag(command.value);
    if (last !== undefined && !follows(tag, last)) account.wrong(`a slow reader of ${tag.device} missed a command`);
    last = tag;
    await sleep(random.between(0, LONGEST_PAUSE_MS));
  }
}

function follows(tag: Tag, last: Tag): boolean {
  return tag.connection === last.connection ? tag.sequence === last.sequence + 1 : isLater(tag, last);
}
