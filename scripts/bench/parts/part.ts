import type { Effort } from "../effort.js";
import type { Report } from "../report.js";

/** Measures one thing and reports it. */
export type Part = (report: Report, effort: Effort) => Promise<void>;

/** What each ratio is relative to: net with `onread`, each answer copied once into a fresh array. */
export const floor = "net onread, owning";

export const floorAgain = "the same, against itself";
