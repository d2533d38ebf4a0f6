import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The pages that people read, from the top of the repository. */
export const pages: readonly string[] = [
  "README.md",
  ...[".github", "lib", "scripts", "spec"].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".md") && !/node_modules|public-api/.test(file))
      .map((file) => join(folder, file).replaceAll("\\", "/")),
  ),
].sort();

export function readPage(path: string): string {
  return readFileSync(path, "utf8");
}
