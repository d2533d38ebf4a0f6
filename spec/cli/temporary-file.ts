import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders = new Set<string>();

/** The path of a file that is not there yet, in a folder of its own. */
export function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "command-line-"));
  folders.add(folder);
  return join(folder, "status");
}

/** For `afterEach`. */
export function removeTemporaryFiles(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}
