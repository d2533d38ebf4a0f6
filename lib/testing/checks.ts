import { inspect } from "node:util";
import { isUint8Array } from "node:util/types";

/** A longer delay makes Node's timers fire at once. */
export const MAX_DELAY_MS = 2_147_483_647;
export const MAX_UINT32 = 4_294_967_295;
export const MAX_INT32 = 2_147_483_647;
export const MIN_INT32 = -2_147_483_648;

/** Throws if the value is wrong; `name` is the user's name for it. */
export type Check = (name: string, value: unknown) => void;

export function integer(lowest: number, highest: number): Check {
  const allowed = `a whole number from ${lowest} to ${highest}`;
  return (name, value) => {
    if (typeof value !== "number") throw new TypeError(explain(name, allowed, value));
    const fits = Number.isInteger(value) && value >= lowest && value <= highest;
    if (!fits) throw new RangeError(explain(name, allowed, value));
  };
}

export function integerOrInfinity(lowest: number, highest: number): Check {
  const allowed = `a whole number from ${lowest} to ${highest}, or Infinity`;
  return (name, value) => {
    if (value === Infinity) return;
    if (typeof value !== "number") throw new TypeError(explain(name, allowed, value));
    const fits = Number.isInteger(value) && value >= lowest && value <= highest;
    if (!fits) throw new RangeError(explain(name, allowed, value));
  };
}

export function oneOf(...values: readonly string[]): Check {
  const allowed = values.map((value) => `"${value}"`).join(" or ");
  return (name, value) => {
    if (!values.includes(value as string)) throw new TypeError(explain(name, allowed, value));
  };
}

export const milliseconds = integer(0, MAX_DELAY_MS);

export const bytes: Check = (name, value) => {
  if (!isUint8Array(value)) throw new TypeError(explain(name, "a Uint8Array", value));
};

export const text: Check = (name, value) => {
  if (typeof value !== "string") throw new TypeError(explain(name, "a string", value));
};

export const flag: Check = (name, value) => {
  if (typeof value !== "boolean") throw new TypeError(explain(name, "true or false", value));
};

export const object: Check = (name, value) => {
  if (typeof value !== "object" || value === null) throw new TypeError(explain(name, "an object", value));
};

export const callback: Check = (name, value) => {
  if (typeof value !== "function") throw new TypeError(explain(name, "a function", value));
};

/** Checks the fields that are present; a field that is `undefined` counts as left out. */
export function checkFields(name: string, value: unknown, fields: Readonly<Record<string, Check>>): void {
  object(name, value);
  for (const [field, given] of Object.entries(value as object)) {
    const check = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (check === undefined) {
      const properties = Object.keys(fields).join(", ");
      throw new TypeError(`${name} has no property ${inspect(field)}. Its properties are ${properties}.`);
    }
    if (given !== undefined) check(`${name}.${field}`, given);
  }
}

export function explain(name: string, allowed: string, value: unknown): string {
  return `${name} is ${inspect(value, { depth: 1, breakLength: Infinity })}, but must be ${allowed}`;
}
