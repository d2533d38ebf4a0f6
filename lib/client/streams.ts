import { DONE, type Stream } from "./mailbox.js";

export function streamOf<Item>(next: Stream<Item>["next"], leave: () => PromiseLike<unknown>): Stream<Item> {
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next,
    return: async () => {
      await leave();
      return DONE;
    },
    [Symbol.asyncDispose]: async () => {
      await leave();
    },
  };
}

/** A stream of only that item. */
export function streamOfOne<Item>(item: Item): Stream<Item> {
  let isOver = false;
  const end = (): Promise<void> => {
    isOver = true;
    return Promise.resolve();
  };
  const next = (): Promise<IteratorResult<Item, undefined>> => {
    if (isOver) return Promise.resolve(DONE);
    isOver = true;
    return Promise.resolve({ done: false, value: item });
  };
  return streamOf(next, end);
}

/** Not a generator: if it was never read from, a generator would not pass `return` on, and the reader would stay subscribed. */
export function mapStream<Item, Mapped>(
  stream: Stream<Item>,
  map: (item: Item) => Mapped | PromiseLike<Mapped>,
): Stream<Mapped> {
  const next = async (): Promise<IteratorResult<Mapped, undefined>> => {
    const read = await stream.next();
    return read.done === true ? DONE : { done: false, value: await map(read.value) };
  };
  return streamOf(next, () => stream[Symbol.asyncDispose]());
}
