import type { Result } from "neverthrow";

/** Judged by shape, not by class: a Result may come from another copy of neverthrow. */
export function isResult(value: unknown): value is Result<unknown, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const { isOk, isErr } = value as Partial<Result<unknown, unknown>>;
  return typeof isOk === "function" && typeof isErr === "function";
}
