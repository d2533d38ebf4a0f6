import type { Readable } from "node:stream";

/** Where a command writes: the part of `process.stdout` that it uses. */
export interface Output {
  write(text: string): unknown;
  /** Whether it is a terminal; its size is `columns` by `rows`. */
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  on(event: "resize", listener: () => void): unknown;
  off(event: "resize", listener: () => void): unknown;
}

/** All that a command touches besides the network and files, so that a spec can give its own. */
export interface Surroundings {
  readonly input: Readable & { readonly isTTY?: boolean | undefined };
  /** For what was asked for. */
  readonly output: Output;
  /** For what went wrong. */
  readonly errors: Pick<Output, "write">;
  /** Aborts when the command is to end: Ctrl-C, or nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** Whether the terminal can move its cursor. */
  readonly canRedraw: boolean;
}
