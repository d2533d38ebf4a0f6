import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import type { ConnectionClass } from "./world.js";

const lib = resolve("lib");

interface Edit {
  readonly from: string;
  readonly to: string;
}

/** A mistake to put into one file of `lib/`. */
export interface Fault extends Edit {
  readonly name: string;
  readonly file: string;
  /** A second place in the file that is part of the mistake. */
  readonly and?: Edit;
}

/**
 * The library's DeviceConnection; what cannot happen throws. With a fault in it nothing throws: the world has to see what comes
 * of it.
 */
export async function loadConnection(fault?: Fault): Promise<ConnectionClass> {
  const { outputFiles } = await build({
    entryPoints: [join(lib, "protocol/device-connection.ts")],
    bundle: true,
    format: "iife",
    globalName: "protocol",
    platform: "node",
    write: false,
    ...buildOptions(fault),
  });
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a bundle of the library's own
  const load = new Function(`${outputFiles[0]?.text}; return protocol.DeviceConnection;`) as () => ConnectionClass;
  return load();
}

/** What esbuild has to know to put a fault into the library. */
export function buildOptions(fault: Fault | undefined): { define: { __DEV__: string }; plugins: Plugin[] } {
  return fault === undefined
    ? { define: { __DEV__: "true" }, plugins: [] }
    : { define: { __DEV__: "false" }, plugins: [pluginFor(fault)] };
}

function pluginFor({ name, file, and, ...edit }: Fault): Plugin {
  return {
    name: "fault",
    setup(bundler) {
      let isFound = false;
      bundler.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (path !== join(lib, file)) return undefined;
        isFound = true;
        let contents = await readFile(path, "utf8");
        for (const { from, to } of and === undefined ? [edit] : [edit, and]) {
          if (contents.split(from).length !== 2) throw new Error(`"${name}" does not apply exactly once to ${file}`);
          contents = contents.replace(from, () => to);
        }
        return { contents, loader: "ts" };
      });
      bundler.onEnd(() => {
        if (!isFound) throw new Error(`"${name}" does not apply: ${file} is not part of the library`);
      });
    },
  };
}
