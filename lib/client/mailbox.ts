/** An async iterable that never rejects, and that you can leave at any time. */
export interface Stream<Item> extends AsyncIterator<Item, undefined, undefined>, AsyncDisposable {
  [Symbol.asyncIterator](): Stream<Item>;
}

type Next<Item> = IteratorResult<Item, undefined>;

export const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

const COMPACT_AFTER = 1_024;

/** A queue. Every operation has the same cost, however many entries there are. */
class Fifo<Entry> {
  private entries: (Entry | undefined)[] = [];
  private taken = 0;

  get length(): number {
    return this.entries.length - this.taken;
  }

  push(entry: Entry): void {
    this.entries.push(entry);
  }

  shift(): Entry | undefined {
    if (this.length === 0) return undefined;
    const entry = this.entries[this.taken];
    this.entries[this.taken] = undefined;
    this.taken += 1;
    if (this.taken >= COMPACT_AFTER && 2 * this.taken >= this.entries.length) {
      this.entries = this.entries.slice(this.taken);
      this.taken = 0;
    }
    return entry;
  }

  keepOldest(count: number): void {
    this.entries.length = Math.min(this.entries.length, this.taken + count);
  }
}

/** A queue of items, and of the reads that wait for one. */
export class Mailbox<Item> {
  private readonly items = new Fifo<Item>();
  private readonly reads = new Fifo<(next: Next<Item>) => void>();
  private isOpen = true;

  constructor(private readonly onWaiting: (isAnyReadWaiting: boolean) => void = () => undefined) {}

  get unread(): number {
    return this.items.length;
  }

  /** Returns whether a waiting read took it. */
  put(item: Item): boolean {
    const read = this.reads.shift();
    if (read === undefined) {
      this.items.push(item);
      return false;
    }
    if (this.reads.length === 0) this.onWaiting(false);
    read({ done: false, value: item });
    return true;
  }

  /** The oldest item that is unread; undefined when none is. */
  takeOldest(): Item | undefined {
    return this.items.shift();
  }

  /** Drops all but the oldest `count` unread items. */
  keepOldest(count: number): void {
    this.items.keepOldest(count);
  }

  /** Waits for the next item. Call it only when no item is unread. */
  next(): Promise<Next<Item>> {
    if (!this.isOpen) return Promise.resolve(DONE);
    return new Promise((resolve) => {
      this.reads.push(resolve);
      if (this.reads.length === 1) this.onWaiting(true);
    });
  }

  /** No further item will come; unread ones can still be taken. */
  end(): void {
    this.isOpen = false;
    if (this.reads.length > 0) this.onWaiting(false);
    for (let read = this.reads.shift(); read !== undefined; read = this.reads.shift()) read(DONE);
  }
}
