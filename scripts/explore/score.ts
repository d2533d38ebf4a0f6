import type { Fault } from "./load.js";

/** Prints which of the faults are seen, and by what. Whether all are, and none where there is none. */
export async function score(
  faults: readonly Fault[],
  firstViolation: (fault?: Fault) => Promise<string | undefined>,
): Promise<boolean> {
  const falseAlarm = await firstViolation();
  console.log(`without a fault: ${falseAlarm ?? "0 violations in the same worlds"}`);
  let seen = 0;
  for (const fault of faults) {
    const what = await firstViolation(fault);
    if (what !== undefined) seen++;
    console.log(what === undefined ? `NOT SEEN: ${fault.name}` : `seen: ${fault.name} — ${what}`);
  }
  console.log(`${seen} of ${faults.length} seeded faults seen`);
  return falseAlarm === undefined && seen === faults.length;
}
