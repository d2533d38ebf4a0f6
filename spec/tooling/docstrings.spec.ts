import { expect, it } from "@jest/globals";
import { commentOf, exportsOf, isOurs } from "../pages/api.js";
import { entries } from "../pages/entries.js";

it.each(entries)("$specifier documents each of its names", ({ source }) => {
  const names = exportsOf(source).filter(isOurs);
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((symbol) => commentOf(symbol) === "").map(({ name }) => name)).toEqual([]);
});
