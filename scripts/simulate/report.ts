import type { Totals, Violation } from "./simulate.js";

const DAY_MS = 86_400_000;

export function shownViolation({ seed, mood, what, events }: Violation): string {
  return [`seed ${seed} (${mood}) violated: ${what}`, ...events].join("\n    ");
}

/** One line. */
export function shownTotals(totals: Totals): string {
  const { runs, clients, statuses, commands, connections, callBacks, virtualMs, codes, violations } = totals;
  const outcomes = [...codes]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([code, count]) => `${code} ${count}`);
  return [
    `${(virtualMs / DAY_MS).toFixed(1)} device-days in ${runs} runs`,
    `${clients} clients`,
    `${statuses} statuses`,
    `${commands} commands`,
    `${connections - clients} reconnections`,
    `${callBacks} calls from listeners`,
    `outcomes: ${outcomes.join(", ")}`,
    `${violations.length} violations`,
  ].join("; ");
}
