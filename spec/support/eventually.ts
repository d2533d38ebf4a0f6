import { setTimeout as sleep } from "node:timers/promises";

/** Waits until the check throws no more; when the time is over it throws what the check throws. */
export async function eventually(check: () => void, forMs = 30_000): Promise<void> {
  const giveUpAt = performance.now() + forMs;
  for (;;) {
    try {
      check();
      return;
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
    }
    await sleep(2);
  }
}
