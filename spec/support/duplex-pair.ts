import { Duplex } from "node:stream";

class Half extends Duplex {
  other: Half | undefined;

  override _read(): void {
    // What the other half writes is pushed as it comes.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.other?.push(chunk);
    done();
  }

  override _final(done: () => void): void {
    this.other?.push(null);
    done();
  }
}

/** Two streams without a socket: what is written to one is read from the other, by reference and within the write. */
export function duplexPair(): [Duplex, Duplex] {
  const pair = [new Half(), new Half()] as const;
  [pair[0].other, pair[1].other] = [pair[1], pair[0]];
  return [...pair];
}
