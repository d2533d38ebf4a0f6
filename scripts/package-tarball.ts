import { root, runNpm } from "./tools.js";

export interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** Packs the built package as for publishing, into a folder. */
export const packTarball = (folder: string): Packed => {
  const [packed] = JSON.parse(
    runNpm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root),
  ) as Packed[];
  if (packed === undefined) {
    throw new Error("npm pack made no tarball");
  }
  return packed;
};
