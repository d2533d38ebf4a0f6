/**
 * Writes dist/: for each entry point one JavaScript file and its declarations, as ES modules and as CommonJS; and the
 * command.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";

import { build, type Format, type Plugin } from "esbuild";

import { writeDeclarations } from "./declarations.js";
import { entries, type Entry } from "./entries.js";
import { root } from "./tools.js";

const dist = join(root, "dist");
const noticesFile = "THIRD-PARTY-NOTICES.txt";
const formats = [
  { format: "esm", folder: join(dist, "esm") },
  { format: "cjs", folder: join(dist, "cjs") },
] as const;

/** What may be bundled: the notices file has the licence of each. */
const notices = [
  { name: "@bufbuild/protobuf", license: "Apache-2.0 AND BSD-3-Clause" },
  { name: "valibot", license: "MIT" },
];

const withoutExtension = (file: string): string => file.replace(/\.[jt]s$/, "");

/** Leaves another entry's file out of this one, so that the library is in a process once however many entries it uses. */
const keepOtherEntriesExternal = (entry: Entry): Plugin => ({
  name: "keep-other-entries-external",
  setup(bundler) {
    bundler.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir, kind }) => {
      const source = withoutExtension(resolve(resolveDir, path));
      const other = entries.find((each) => join(root, "lib", each.path) === source);
      if (kind === "entry-point" || other === undefined || other === entry) {
        return undefined;
      }
      // The bundle imports from where the entry is built, wherever in lib/ the import was written.
      const fromEntry = relative(dirname(entry.path), `${other.path}.js`).split(sep).join("/");
      return { path: fromEntry.startsWith(".") ? fromEntry : `./${fromEntry}`, external: true };
    });
  },
});

const bundle = async (entry: Entry, format: Format, folder: string): Promise<void> => {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [`lib/${entry.path}.ts`],
    bundle: true,
    format,
    platform: "node",
    target: "node20",
    // A user's neverthrow and ours must be one class.
    external: ["neverthrow"],
    // What cannot happen throws in specs, and is not looked for in production.
    define: { __DEV__: "false" },
    plugins: [keepOtherEntriesExternal(entry)],
    legalComments: "none",
    metafile: true,
    write: false,
  });
  const foreign = Object.values(metafile.outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([file, { bytesInOutput }]) => file.includes("node_modules/") && bytesInOutput > 0)
    .map(([file]) => file);
  const unknown = foreign.filter((file) => !notices.some(({ name }) => file.includes(`node_modules/${name}/`)));
  if (unknown.length > 0) {
    throw new Error(`${entry.path} would contain code that ${noticesFile} does not name: ${unknown.join(", ")}`);
  }
  const output = join(folder, `${entry.path}.js`);
  const toNotices = relative(dirname(output), join(dist, noticesFile)).split(sep).join("/");
  const bundled = notices.filter(({ name }) => foreign.some((file) => file.includes(`node_modules/${name}/`)));
  const names = bundled.map(({ name, license }) => `${name} (${license})`).join(", ");
  const notice = `/*! Contains code of ${names}: see ${toNotices} */\n`;
  const code = outputFiles.map(({ text }) => text).join("");
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, foreign.length > 0 ? notice + code : code);
};

/** The command: the file that starts lib/cli.ts. The library is not in it but beside it, loaded as any user loads it. */
const bundleCommand = async (): Promise<void> => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string };
  const start = `import { run } from "./lib/cli.js";\nawait run(process, ${JSON.stringify(manifest.version)});\n`;
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    stdin: { contents: start, loader: "ts", resolveDir: root },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    plugins: [keepOtherEntriesExternal({ specifier: "the command", path: "cli" })],
    banner: { js: "#!/usr/bin/env node" },
    metafile: true,
    write: false,
  });
  const foreign = Object.keys(metafile.inputs).filter((file) => !/^(<stdin>|lib\/cli(\.ts|\/.+))$/.test(file));
  if (foreign.length > 0) {
    throw new Error(`the command would contain a second copy of ${foreign.join(", ")}`);
  }
  writeFileSync(join(dist, "esm", "cli.js"), outputFiles.map(({ text }) => text).join(""), { mode: 0o755 });
};

rmSync(dist, { recursive: true, force: true });
for (const { format, folder } of formats) {
  for (const entry of entries) {
    await bundle(entry, format, folder);
  }
}
await bundleCommand();
writeDeclarations(formats.map(({ folder }) => folder));
writeFileSync(join(dist, "cjs", "package.json"), '{ "type": "commonjs" }\n');
copyFileSync(join(root, "scripts", "third-party-notices.txt"), join(dist, noticesFile));
