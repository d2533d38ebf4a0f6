import { err, ok, type Result } from "neverthrow";
import type { PayloadProblem } from "./codec.js";

/**
 * A validator that follows the Standard Schema interface, version 1, as those of zod, valibot and arktype do.
 *
 * @example
 * const schema: StandardSchema<{ pressed: boolean }> = z.object({ pressed: z.boolean() });
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What the Standard Schema interface asks for. */
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardOutcome<Output> | Promise<StandardOutcome<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

type StandardOutcome<Payload> =
  { readonly value: Payload; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * A function that returns whether a value is such a payload, or a Standard Schema.
 *
 * @example
 * const isNumber: Validator<number> = (value): value is number => typeof value === "number";
 */
export type Validator<Payload> = ((value: unknown) => value is Payload) | StandardSchema<unknown, Payload>;

/** Without a validator, any value is taken for a payload. */
export function validate<Payload>(
  value: unknown,
  validator: Validator<Payload> | undefined,
): Result<Payload, PayloadProblem> {
  if (validator === undefined) return ok(value as Payload);
  // A schema can itself be a function, as arktype's are.
  if ("~standard" in validator) return outcomeOf(validator["~standard"].validate(value));
  const answer: unknown = validator(value);
  // An async function returns a promise, which would count as true whatever it resolves to.
  if (isPromise(answer)) return asynchronous(answer);
  return answer === true ? ok(value as Payload) : err({ path: "$", message: "the validator rejected it" });
}

function isPromise(answer: unknown): answer is Promise<unknown> {
  return typeof answer === "object" && answer !== null && "then" in answer;
}

/** No payload can get past such a validator. */
export const ASYNCHRONOUS: PayloadProblem = { path: "$", message: "the validator is asynchronous" };

function asynchronous(answer: Promise<unknown>): Result<never, PayloadProblem> {
  void answer.catch(() => undefined); // it is not used, and must not become an unhandled rejection
  return err(ASYNCHRONOUS);
}

function outcomeOf<Payload>(
  outcome: StandardOutcome<Payload> | Promise<StandardOutcome<Payload>>,
): Result<Payload, PayloadProblem> {
  if (isPromise(outcome)) return asynchronous(outcome);
  if (outcome.issues === undefined) return ok(outcome.value);
  const [first] = outcome.issues;
  return err({ path: pathOf(first?.path ?? []), message: first?.message ?? "the validator rejected it" });
}

function pathOf(segments: NonNullable<StandardIssue["path"]>): string {
  const keys = segments.map((segment) => (typeof segment === "object" ? segment.key : segment));
  return keys.reduce<string>((path, key) => path + (typeof key === "number" ? `[${key}]` : `.${String(key)}`), "$");
}
