import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { compileFunction } from "node:vm";
import { build, type Plugin } from "esbuild";
import type { Result } from "neverthrow";
import type * as Index from "../../lib/index.js";
import type { ClientHandle, Config, InternalClientError, SendStatusOptions } from "../../lib/index.js";

export type Handle = ClientHandle;
export type Outcome<Value> = { readonly value: Value } | { readonly error: InternalClientError };

/** What the simulator calls. It is the only thing here that knows the names of the library. */
export interface Library {
  connect(config: Config): Promise<Outcome<Handle>>;
  exchange(handle: Handle, status: Uint8Array, options: SendStatusOptions): Promise<Outcome<Uint8Array>>;
  getCommand(handle: Handle): Outcome<Uint8Array>;
  /** Subscribes at the call; resolves when the commands end. */
  readCommands(handle: Handle, onCommand: (command: Uint8Array) => void): Promise<void>;
  destroy(handle: Handle): Promise<void>;
}

/** What stands in for Node's modules. */
type Replacements = Readonly<Record<"node:net" | "node:timers" | "node:perf_hooks", unknown>>;

/** Makes a copy of the library that knows no other network and no other clock than these. */
export type LibraryMaker = (replacements: Replacements) => Library;

/** A mistake to put into one file of lib/. */
export interface Fault {
  readonly name: string;
  /** Within lib/. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Bundles the library as it is, or with a fault in it. What cannot happen throws. */
export async function bundleLibrary(fault?: Fault): Promise<LibraryMaker> {
  const { outputFiles } = await build({
    entryPoints: ["lib/index.ts"],
    absWorkingDir: process.cwd(),
    bundle: true,
    format: "cjs",
    platform: "node",
    write: false,
    define: { __DEV__: "true" },
    plugins: fault === undefined ? [] : [pluginFor(fault)],
  });
  const run = compileFunction(outputFiles[0]?.text ?? "", ["require", "module"]) as Bundle;
  return (replacements) => instantiate(run, replacements);
}

type Bundle = (require: (name: string) => unknown, module: { exports: object }) => void;

const nodeRequire = createRequire(join(process.cwd(), "package.json"));

function instantiate(run: Bundle, replacements: Replacements): Library {
  const module = { exports: {} };
  const replaced = replacements as Readonly<Record<string, unknown>>;
  run((name: string): unknown => replaced[name] ?? nodeRequire(name), module);
  return adapt(module.exports as typeof Index);
}

function adapt({ connect, exchange, getCommand, commands, destroy }: typeof Index): Library {
  return {
    connect: async (config) => outcomeOf(await connect(config)),
    exchange: async (handle, status, options) => outcomeOf(await exchange(handle, status, options)),
    getCommand: (handle) => outcomeOf(getCommand(handle)),
    readCommands: async (handle, onCommand) => {
      for await (const command of commands(handle, { highWaterMark: 1_000_000 })) {
        if (command.isErr()) throw command.error;
        onCommand(command.value);
      }
    },
    destroy: async (handle) => {
      await destroy(handle);
    },
  };
}

function outcomeOf<Value>(result: Result<Value, InternalClientError>): Outcome<Value> {
  return result.isOk() ? { value: result.value } : { error: result.error };
}

function pluginFor({ name, file, from, to }: Fault): Plugin {
  return {
    name: "fault",
    setup(build) {
      build.onLoad({ filter: new RegExp(`lib/${file.replace(".", "\\.")}$`) }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        if (source.split(from).length !== 2) throw new Error(`"${name}" does not apply exactly once to ${file}`);
        return { contents: source.replace(from, () => to), loader: "ts" };
      });
    },
  };
}
