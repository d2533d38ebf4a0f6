import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import type { ConnectionClass } from "./world.js";

/** A mistake to put into one file of lib/protocol. */
export interface Fault {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const protocol = fileURLToPath(new URL("../../lib/protocol/", import.meta.url));

/** The library's DeviceConnection, with a fault in it if one is named. What cannot happen throws. */
export async function loadConnection(fault?: Fault): Promise<ConnectionClass> {
  const folder = await mkdtemp(join(tmpdir(), "explore-"));
  try {
    const outfile = join(folder, "connection.mjs");
    await build({
      entryPoints: [join(protocol, "device-connection.ts")],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      define: { __DEV__: "true" },
      plugins: fault === undefined ? [] : [pluginFor(fault)],
    });
    const module = (await import(pathToFileURL(outfile).href)) as { readonly DeviceConnection: ConnectionClass };
    return module.DeviceConnection;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function pluginFor({ name, file, from, to }: Fault): Plugin {
  return {
    name: "fault",
    setup(build) {
      build.onLoad({ filter: new RegExp(`protocol/${file}$`.replace(".", "\\.")) }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        if (source.split(from).length !== 2) throw new Error(`"${name}" does not apply exactly once to ${file}`);
        return { contents: source.replace(from, () => to), loader: "ts" };
      });
    },
  };
}
