import { resolve } from "node:path";
import { describe, expect, it } from "@jest/globals";
import ts from "typescript";

const entries = [
  "index",
  "throwing",
  "testing",
  "modules/car-accessory",
  "modules/example",
  "modules/mission",
  "modules/mission-protobuf",
  "modules/transparent",
];
function fileOf(entry: string): string {
  return resolve("lib", `${entry}.ts`);
}

const settings: unknown = ts.readConfigFile(resolve("tsconfig.json"), (path) => ts.sys.readFile(path)).config;
const { options } = ts.parseJsonConfigFileContent(settings, ts.sys, process.cwd());
const program = ts.createProgram(entries.map(fileOf), options);
const checker = program.getTypeChecker();

function isOurs(symbol: ts.Symbol): boolean {
  return (
    symbol.declarations?.every((declaration) => !declaration.getSourceFile().fileName.includes("node_modules")) === true
  );
}

function publicNames(entry: string): ts.Symbol[] {
  const source = program.getSourceFile(fileOf(entry));
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${entry} is no module`);
  return checker
    .getExportsOfModule(module)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
    .filter(isOurs);
}

function namesWithout(entry: string, isThere: (symbol: ts.Symbol) => boolean): string[] {
  return publicNames(entry)
    .filter((symbol) => !isThere(symbol))
    .map(({ name }) => name);
}

describe.each(entries)("the entry %s", (entry) => {
  it("documents each of its names", () => {
    expect(publicNames(entry).length).toBeGreaterThan(0);
    expect(namesWithout(entry, (symbol) => symbol.getDocumentationComment(checker).length > 0)).toEqual([]);
  });
});
