import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, jest, test } from "@jest/globals";

const sources = readdirSync("lib", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

beforeEach(() => {
  jest.resetModules();
});

// This is also how coverage gets to know that a file of types alone has nothing to cover.
test.each(sources)("lib/%s loads by itself", (source) => {
  expect(() => jest.requireActual(join(process.cwd(), "lib", source))).not.toThrow();
});
