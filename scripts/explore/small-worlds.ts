import type { Bounds } from "./world.js";

const NONE: Bounds = { statuses: 0, pushes: 0, drops: 0, aborts: 0, garbage: 0, freezes: 0, calls: 0 };
/** Small worlds, each searched to its end within seconds: a seeded fault shows in one of them. */
export const SMALL_WORLDS: readonly Bounds[] = [
  { ...NONE, statuses: 1, pushes: 1, aborts: 1 },
  { ...NONE, statuses: 1, drops: 1, freezes: 1 },
  { ...NONE, statuses: 1, drops: 2 },
  { ...NONE, statuses: 3 },
  { ...NONE, statuses: 1, pushes: 1, drops: 1 },
  { ...NONE, statuses: 2, pushes: 1, aborts: 1 },
  { ...NONE, statuses: 1, garbage: 1 },
  { ...NONE, statuses: 2, pushes: 1, calls: 1 },
  { ...NONE, statuses: 1, pushes: 1, drops: 1, aborts: 1 },
];
