import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import { root } from "../tools.js";

/** How many bytes a user's bundle gets, with everything that the library needs and nothing left out. */
export const bundleSize = async (): Promise<{ readonly minified: number; readonly gzipped: number }> => {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["dist/esm/index.js"],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    target: "node20",
    legalComments: "none",
    write: false,
  });
  const code = Buffer.concat(outputFiles.map(({ contents }) => contents));
  return { minified: code.length, gzipped: gzipSync(code, { level: 9 }).length };
};
