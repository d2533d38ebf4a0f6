type Same<One, Other> =
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- T stands for every type there is
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? [] : [difference: "These types differ."];

/** Compiles only if both types are the same. */
export function same<One, Other>(..._difference: Same<One, Other>): void {
  // It is for the compiler alone.
}
