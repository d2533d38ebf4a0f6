import { setTimeout as sleep } from "node:timers/promises";

/** Waits until the check throws no more; after two seconds it throws what the check throws. */
export async function eventually(check: () => void): Promise<void> {
  const giveUpAt = performance.now() + 2_000;
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
