interface Happening {
  readonly time: number;
  readonly order: number;
  readonly happen: () => void;
}

/** The time of the world, in milliseconds, and what is going to happen in it: networks and gateways live by it. */
export class WorldClock {
  now = 1_000;
  private readonly heap: Happening[] = [];
  private order = 0;

  get nextAt(): number {
    return this.heap[0]?.time ?? Infinity;
  }

  at(time: number, happen: () => void): void {
    this.push({ time: Math.max(time, this.now), order: this.order++, happen });
  }

  after(milliseconds: number, happen: () => void): void {
    this.at(this.now + milliseconds, happen);
  }

  /** Lets everything happen that is due until then, each at its time. */
  runUntil(time: number): void {
    for (let next = this.heap[0]; next !== undefined && next.time <= time; next = this.heap[0]) {
      this.pop();
      this.now = next.time;
      next.happen();
    }
    this.now = Math.max(this.now, time);
  }

  private push(happening: Happening): void {
    const { heap } = this;
    let at = heap.push(happening) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(happening, heap[parent])) break;
      heap[at] = heap[parent] as Happening;
      at = parent;
    }
    heap[at] = happening;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Happening, heap[child])) child++;
      if (child >= heap.length || isBefore(last, heap[child])) break;
      heap[at] = heap[child] as Happening;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(one: Happening, other: Happening | undefined): boolean {
  if (other === undefined) return true;
  return one.time < other.time || (one.time === other.time && one.order < other.order);
}
