/**
 * Writes generated/ from every .proto file in lib/. With --check it writes elsewhere and fails where generated/ differs.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bin, root, runNode } from "./tools.js";

const options = [
  "oneof=unions-value",
  "enumsAsLiterals=true",
  "unrecognizedEnum=false",
  "useReadonlyTypes=true",
  "outputJsonMethods=false",
  "outputPartialMethods=false",
  "outputClientImpl=false",
  "outputServices=none",
  "exportCommonSymbols=false",
  "esModuleInterop=true",
  "importSuffix=.js",
];

// protoc starts the plugin itself, so on Windows it needs the command file that npm makes.
const plugin = join(root, "node_modules", ".bin", `protoc-gen-ts_proto${process.platform === "win32" ? ".cmd" : ""}`);

function generate(folder: string): void {
  const protos = readdirSync(join(root, "lib"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".proto"))
    .map((file) => join(root, "lib", file))
    .sort();
  const folders = [...new Set(protos.map((file) => dirname(file)))];
  mkdirSync(folder, { recursive: true });
  runNode(bin("protoc", "protoc"), [
    `--plugin=protoc-gen-ts_proto=${plugin}`,
    `--ts_proto_out=${folder}`,
    `--ts_proto_opt=${options.join(",")}`,
    ...folders.map((each) => `-I${each}`),
    ...protos,
  ]);
}

/** Text by file name. Line ends may differ after a checkout on Windows. */
function contents(folder: string): Map<string, string> {
  return new Map(
    readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n")]),
  );
}

function differences(committed: string): string[] {
  const fresh = mkdtempSync(join(tmpdir(), "generated-"));
  try {
    generate(fresh);
    const [was, is] = [contents(committed), contents(fresh)];
    return [...new Set([...was.keys(), ...is.keys()])].filter((file) => was.get(file) !== is.get(file));
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

const generated = join(root, "generated");
if (process.argv.includes("--check")) {
  const differing = differences(generated);
  for (const file of differing) console.error(`generated/${file} is not what lib/**/*.proto gives: npm run generate`);
  process.exitCode = differing.length === 0 ? 0 : 1;
} else {
  rmSync(generated, { recursive: true, force: true });
  generate(generated);
}
