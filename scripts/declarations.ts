import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";
import { entries } from "./entries.js";
import { bin, root, runNode } from "./tools.js";

const relativeImport = /(?<=["'])\.{1,2}\/[^"']+(?=\.js["'])/g;

/** The wire format's code is bundled, and its types with it: to users a generated message is what `protobuf` takes. */
function withoutWireFormat(declarations: string): string {
  return declarations
    .replace(/^import .+ from "@bufbuild\/protobuf\/wire";\n/m, "")
    .replace(
      /(?<=^interface MessageFns<T> \{\n)[^}]+(?=^\})/m,
      "    encode(message: T): { finish(): Uint8Array };\n    decode(bytes: Uint8Array): T;\n",
    );
}

/** Where the declarations of a source stand in dist/esm and dist/cjs: those of lib/ beside the JavaScript. */
function place(source: string): string {
  return source.replace(/^lib\//, "");
}

function asImport(from: string, to: string): string {
  const path = relative(dirname(from), to).split(sep).join("/");
  return path.startsWith(".") ? path : `./${path}`;
}

/** Writes into each folder the declarations that the entries reach, and no others: nobody can import the rest. */
export function writeDeclarations(folders: readonly string[]): void {
  const emitted = mkdtempSync(join(tmpdir(), "declarations-"));
  try {
    runNode(bin("typescript", "tsc"), [
      "-p",
      join(root, "scripts", "tsconfig.build.json"),
      "--noCheck",
      "--outDir",
      emitted,
    ]);
    // A set may grow while it is walked.
    const sources = new Set(entries.map(({ path }) => `lib/${path}`));
    for (const source of sources) {
      const declarations = withoutWireFormat(readFileSync(join(emitted, `${source}.d.ts`), "utf8"));
      const text = declarations.replaceAll(relativeImport, (specifier) => {
        const target = relative(root, resolve(root, dirname(source), specifier))
          .split(sep)
          .join("/");
        sources.add(target);
        return asImport(place(source), place(target));
      });
      for (const folder of folders) {
        const output = join(folder, `${place(source)}.d.ts`);
        mkdirSync(dirname(output), { recursive: true });
        writeFileSync(output, text);
      }
    }
  } finally {
    rmSync(emitted, { recursive: true });
  }
}
