const MAX_EVENTS = 400;

/** Keeps the first promise that was broken, and what happened up to then. */
export class Judge {
  violation: string | undefined;
  private readonly events: string[] = [];

  constructor(private readonly now: () => number) {}

  note(event: string): void {
    if (this.violation !== undefined) return;
    this.events.push(`${this.now().toFixed(2)} ${event}`);
    if (this.events.length >= MAX_EVENTS) this.events.splice(0, MAX_EVENTS / 2);
  }

  violate(what: string): void {
    this.note(`VIOLATION ${what}`);
    this.violation ??= what;
  }

  lastEvents(count: number): readonly string[] {
    return this.events.slice(-count);
  }
}
