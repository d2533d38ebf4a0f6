import { resolve } from "node:path";
import { build, type Format, type Plugin } from "esbuild";
import ts from "typescript";
import { entries } from "./entries.js";
import type { Example } from "./examples.js";

const sources = new Map(entries.map(({ specifier, source }) => [specifier, source]));

/** The examples' gateway listens on a port of its own; in the pages it is the one that gateways have in the field. */
const PORT_IN_PAGES = /\b1636\b/g;

const fromSources: Plugin = {
  name: "from-sources",
  setup: (bundler) => {
    bundler.onResolve({ filter: /^fleet-internal-client/ }, ({ path }) => {
      const source = sources.get(path);
      return source === undefined ? { errors: [{ text: `the package has no entry ${path}` }] } : { path: source };
    });
  },
};

/** The example as one JavaScript file that needs nothing but Node. */
export async function bundled({ code, language }: Example, format: Format): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: code.replace(PORT_IN_PAGES, 'Number(process.env["GATEWAY_PORT"])'),
      loader: language === "ts" ? "ts" : "js",
      resolveDir: process.cwd(),
    },
    bundle: true,
    format,
    platform: "node",
    target: "node20",
    external: ["@jest/globals"],
    plugins: [fromSources],
    write: false,
  });
  return outputFiles.map(({ text }) => text).join("");
}

/** What the compiler has to say about the examples, each a module of a strict project. */
export function typeErrors(examples: readonly Example[]): string[] {
  const files = new Map(examples.map(({ code }, number) => [resolve(`example-${number}.ts`), code]));
  const options: ts.CompilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts", "lib.es2024.string.d.ts", "lib.esnext.disposable.d.ts"],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: ["node"],
    paths: Object.fromEntries([...sources].map(([specifier, path]) => [specifier, [path]])),
    noEmit: true,
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  host.fileExists = (file) => files.has(resolve(file)) || ts.sys.fileExists(file);
  host.readFile = (file) => files.get(resolve(file)) ?? ts.sys.readFile(file);
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()].flatMap((file, number) => {
    const source = program.getSourceFile(file);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ messageText, start }) => {
      const line = source === undefined || start === undefined ? 0 : source.getLineAndCharacterOfPosition(start).line;
      const text = source?.text.split("\n")[line]?.trim() ?? "";
      return `${examples[number]!.title}: ${text}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
    });
  });
}
