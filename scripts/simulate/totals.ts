const DAY_MS = 86_400_000;

/** What happened in all worlds together. */
export class Totals {
  runs = 0;
  milliseconds = 0;
  clients = 0;
  statuses = 0;
  commands = 0;
  reconnections = 0;
  freezes = 0;
  reentrantCalls = 0;
  violations = 0;
  readonly outcomes = new Map<string, number>();

  count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  /** One line. */
  toString(): string {
    const outcomes = [...this.outcomes].sort(([one], [other]) => one.localeCompare(other));
    return [
      `${(this.milliseconds / DAY_MS).toFixed(1)} device-days in ${this.runs} runs`,
      `${this.clients} clients`,
      `${this.statuses} statuses`,
      `${this.commands} commands`,
      `${this.reconnections} reconnections`,
      `${this.freezes} freezes`,
      `${this.reentrantCalls} re-entrant calls`,
      `outcomes: ${outcomes.map(([outcome, count]) => `${outcome} ${count}`).join(", ")}`,
      `${this.violations} violations`,
    ].join("; ");
  }
}
