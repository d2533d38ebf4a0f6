/**
 * Writes the public surface of each entry point to spec/public-api/, one report an entry, from the built declarations. With --check it
 * writes nothing and fails where a report is out of date: a change of what users see shows in the diff.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { entries, type Entry } from "./entries.js";
import { root } from "./tools.js";

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const reportFolder = join(root, "spec", "public-api");
const temporary = mkdtempSync(join(tmpdir(), "public-api-"));

function configOf({ path }: Entry): ExtractorConfig {
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, "package.json"),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, "dist", "esm", `${path}.d.ts`),
      compiler: { tsconfigFilePath: join(root, "scripts", "tsconfig.build.json") },
      apiReport: {
        enabled: true,
        reportFileName: path.replace("/", "-"),
        reportFolder,
        reportTempFolder: temporary,
      },
      messages: {
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Error },
          // There is one release, and it is public: no tag has to say so.
          "ae-missing-release-tag": { logLevel: ExtractorLogLevel.None },
          // Types that only appear inside another are in the report, but nobody has to import them.
          "ae-forgotten-export": { logLevel: ExtractorLogLevel.None },
          // The generated code's own constants cannot be documented; elsewhere the report says "undocumented".
          "ae-undocumented": { logLevel: ExtractorLogLevel.None },
          "ae-unresolved-link": { logLevel: ExtractorLogLevel.None },
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  });
}

try {
  mkdirSync(reportFolder, { recursive: true });
  for (const entry of entries) {
    const { succeeded, apiReportChanged } = Extractor.invoke(configOf(entry), { localBuild: !values.check });
    if (apiReportChanged) console.log(`${entry.specifier}: the public surface has changed`);
    if (!succeeded) process.exitCode = 1;
  }
  if (process.exitCode === 1)
    console.error("run npm run api-report, and look at what has changed before you commit it");
} finally {
  rmSync(temporary, { recursive: true });
}
