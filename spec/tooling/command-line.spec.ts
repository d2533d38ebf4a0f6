import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, it } from "@jest/globals";
import { entries } from "../pages/entries.js";

const sources = readdirSync("lib", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

function isOfCommandLine(file: string) {
  return file === "cli.ts" || file.startsWith("cli/");
}

/** Which files of lib/ a file imports. */
function importsOf(file: string): string[] {
  const specifiers = readFileSync(join("lib", file), "utf8").matchAll(/ from "(\.{1,2}\/[^"]+)\.js"/g);
  return [...specifiers].map(([, path = ""]) => relative("lib", join("lib", file, "..", `${path}.ts`)));
}

it("the library does not load the command line", () => {
  const library = sources.filter((file) => !isOfCommandLine(file));
  expect(library.filter((file) => importsOf(file).some(isOfCommandLine))).toEqual([]);
});

it("the command line uses nothing that its users cannot import", () => {
  const used = sources.filter(isOfCommandLine).flatMap(importsOf);
  const foreign = used.filter((file) => !isOfCommandLine(file));
  expect(foreign).toContain("index.ts");
  const importable = entries.map(({ source }) => relative("lib", source));
  expect(foreign.filter((file) => !importable.includes(file))).toEqual([]);
});
