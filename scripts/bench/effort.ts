/** How much is measured. The short run leaves out what no target is about. */
export interface Effort {
  readonly isShort: boolean;
  /** The folder of another commit's build, when that is what is compared with. */
  readonly against?: string | undefined;
  /** Pairs of slices for each comparison. */
  readonly rounds: number;
  readonly sliceMs: number;
  /** Pairs of processes for each comparison of start-up times. */
  readonly starts: number;
  /** Pairs of processes for each comparison of memory. */
  readonly memoryRuns: number;
}

export const full: Effort = { isShort: false, rounds: 32, sliceMs: 40, starts: 11, memoryRuns: 3 };

export const short: Effort = { isShort: true, rounds: 32, sliceMs: 40, starts: 7, memoryRuns: 1 };
