/** An iteration that can be left, and that never rejects. */
export interface Stream<Item> extends AsyncIterator<Item, undefined, undefined>, AsyncDisposable {
  [Symbol.asyncIterator](): Stream<Item>;
}

type Next<Item> = IteratorResult<Item, undefined>;

export const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

const COMPACT_AFTER = 1_024;

/** Items in their order, and the reads that wait for one. Reading costs the same however much is unread. */
export class Mailbox<Item> {
  private items: (Item | undefined)[] = [];
  private taken = 0;
  private reads: ((next: Next<Item>) => void)[] = [];
  private isOpen = true;

  constructor(private readonly onWaiting: (isAnyReadWaiting: boolean) => void = () => undefined) {}

  get unread(): number {
    return this.items.length - this.taken;
  }

  /** Returns whether it went to a read that was waiting. */
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
    if (this.unread === 0) return undefined;
    const item = this.items[this.taken];
    this.items[this.taken] = undefined;
    this.taken += 1;
    if (this.taken >= COMPACT_AFTER && 2 * this.taken >= this.items.length) {
      this.items = this.items.slice(this.taken);
      this.taken = 0;
    }
    return item;
  }

  /** Takes away what is unread beyond that many items. */
  keepOldest(count: number): void {
    this.items.length = Math.min(this.items.length, this.taken + count);
  }

  /** Waits for the next item; call it when none is unread. */
  next(): Promise<Next<Item>> {
    if (!this.isOpen) return Promise.resolve(DONE);
    return new Promise((resolve) => {
      this.reads.push(resolve);
      if (this.reads.length === 1) this.onWaiting(true);
    });
  }

  /** No item will follow; what is unread can still be taken. */
  end(): void {
    this.isOpen = false;
    const { reads } = this;
    this.reads = [];
    if (reads.length > 0) this.onWaiting(false);
    for (const read of reads) read(DONE);
  }
}
