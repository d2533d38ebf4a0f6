import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { afterAll, afterEach, describe, expect, it, jest } from "@jest/globals";
import type { TestingGateway } from "../../lib/testing.js";
import { eventually } from "../support/eventually.js";
import { endAll, openGateway } from "../support/opened.js";
import { endPrograms, startProgram, type Program } from "../support/program.js";
import { entries, manifest } from "./entries.js";
import { blocksOf, examplesOf, isJestTest, type Example } from "./examples.js";
import { pages, readPage } from "./pages.js";
import { bundled, typeErrors } from "./run-examples.js";

const readme = readPage("README.md");
const everyPage = pages.map(readPage).join("\n");
const examples = pages.flatMap((page) => examplesOf(page, blocksOf(readPage(page))));
const tests = examples.filter(isJestTest);
const programs = examples.filter((example) => !isJestTest(example));
const folder = mkdtempSync(join(tmpdir(), "pages-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

afterEach(async () => {
  await endPrograms();
  await endAll();
});

/** The gateway that the pages' programs meet: it serves the known modules as the real ones, and those that the pages add as an echo. */
function openPagesGateway(): Promise<TestingGateway> {
  const echo = (module: number) => ({ module, answer: (status: Uint8Array) => status });
  return openGateway({ modules: [1, 2, 3, { module: 1000, deviceTypes: [0] }, ...[1001, 1002, 1003, 1004].map(echo)] });
}

async function start(example: Example, gateway: TestingGateway): Promise<Program> {
  const file = join(folder, `program-${examples.indexOf(example)}.mjs`);
  writeFileSync(file, await bundled(example, "esm"));
  return startProgram([file], { GATEWAY_PORT: `${gateway.port}` });
}

/** The lines that a program has written, as if its gateway had the port that it has in the pages. */
function linesOf({ stdout, stderr }: Program, gateway: TestingGateway): string[] {
  const lines = (stdout + stderr).split("\n").filter((line) => line !== "");
  return lines.map((line) => line.replaceAll(`:${gateway.port}`, ":1636"));
}

/** In a comment, `…` stands for anything. */
function fits(line: string, announced: string): boolean {
  const parts = announced.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(line);
}

describe("a program in a page", () => {
  it.each(programs)("runs, prints what it says, and ends by itself: $title", async (example: Example) => {
    const gateway = await openPagesGateway();
    const program = await start(example, gateway);
    const notPrinted = (): string[] => {
      const lines = linesOf(program, gateway);
      return example.printed.filter((announced) => !lines.some((line) => fits(line, announced)));
    };

    // One that runs for ever is ended as services are, when it has printed all that it says; at a terminal it is Ctrl-C.
    if (example.code.includes('"SIGINT"')) {
      await eventually(() => expect(notPrinted()).toEqual([]), 120_000);
      program.send("SIGTERM");
    }
    const code = await program.ended;

    expect(notPrinted()).toEqual([]);
    const lines = linesOf(program, gateway);
    expect(lines.filter((line) => !example.printed.some((announced) => fits(line, announced)))).toEqual([]);
    expect(code).toBe(0);
    expect(gateway.errors).toEqual([]);
    await eventually(() => expect(gateway.openSockets).toBe(0));
  });
});

it("has the same recipe for OpenTelemetry as the spec with OpenTelemetry's own SDK", () => {
  const tried = readFileSync("spec/diagnostics/opentelemetry-recipe.ts", "utf8");
  const recipe = examples.find(({ code }) => code.includes("@opentelemetry/api"))!.code.trim();
  const [imports, ...rest] = recipe.replace('"fleet-internal-client"', '"../../lib/index.js"').split("\n\n");
  expect(tried).toContain(imports);
  expect(tried).toContain(rest.join("\n\n"));
});

describe("the tests in the pages", () => {
  // It is jest that runs them, as it does for users: no transformer, and nothing else configured.
  it.each([
    ["CommonJS", "cjs", tests],
    ["ES modules", "esm", tests.filter(({ language }) => language === "ts")],
  ] as const)("pass as %s", async (_, format, those) => {
    const suffix = format === "cjs" ? "cjs" : "mjs";
    for (const example of those) {
      const file = join(folder, `example-${examples.indexOf(example)}.test.${suffix}`);
      writeFileSync(file, await bundled(example, format));
    }
    const configuration = {
      rootDir: folder,
      cacheDirectory: `${folder}/cache`,
      testMatch: [`**/*.test.${suffix}`],
      moduleFileExtensions: ["js", "cjs", "mjs", "json"],
      transform: {},
      watchman: false,
    };
    const runJest = ["node_modules/jest/bin/jest.js", "--runInBand", "--config", JSON.stringify(configuration)];
    const run = startProgram(format === "esm" ? ["--experimental-vm-modules", ...runJest] : runJest);
    const code = await run.ended;
    expect(run.stderr).toMatch(new RegExp(`^Test Suites: ${those.length} passed, ${those.length} total$`, "m"));
    expect(those.length).toBeGreaterThan(0);
    expect(code).toBe(0);
  });
});

it("the code in the pages has the right types", () => {
  expect(typeErrors(examples.filter(({ language }) => language === "ts"))).toEqual([]);
});

describe("the top README", () => {
  it("has at most 300 lines, and shows the library in ten", () => {
    expect(readme.split("\n").length).toBeLessThanOrEqual(301);
    expect(blocksOf(readme)[0]?.code.split("\n").length).toBeLessThanOrEqual(10);
  });

  it("names every entry point of the package", () => {
    expect(entries.filter(({ specifier }) => !readme.includes(`\`${specifier}\``))).toEqual([]);
  });
});

describe("the pages", () => {
  it("name every function and value of every entry point", () => {
    const names = new Set(entries.flatMap(({ source }) => Object.keys(jest.requireActual<object>(source))));
    expect([...names].filter((name) => !new RegExp(`\\b${name}\\b`).test(everyPage))).toEqual([]);
  });

  it("name every script of the package, and no other", () => {
    const { scripts } = manifest;
    const wanted = Object.keys(scripts).filter((name) => !/^(test|prepare|prepack|prepublishOnly)$/.test(name));
    expect(wanted.filter((name) => !everyPage.includes(name))).toEqual([]);
    const named = [...everyPage.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1]!);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it.each(pages)("%s has only links that lead somewhere", (page) => {
    const links = [...readPage(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
    expect(links.filter((link) => !/^https?:/.test(link) && !leadsSomewhere(page, link))).toEqual([]);
  });

  it.each(pages)("%s names only files that exist", (page) => {
    const files = readPage(page).matchAll(/`((?:lib|spec|scripts|generated)\/[\w./-]*\.?\w+)`/g);
    expect([...files].map((match) => match[1]!).filter((file) => !existsSync(file))).toEqual([]);
  });

  it.each(pages)("%s has lines of at most 120 characters outside its tables", (page) => {
    const lines = readPage(page).split("\n");
    expect(lines.filter((line) => line.length > 120 && !line.startsWith("|"))).toEqual([]);
  });
});

function leadsSomewhere(page: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : normalize(join(dirname(page), path)).replaceAll("\\", "/");
  if (!existsSync(target)) return false;
  return anchor === undefined || anchorsOf(readPage(target)).includes(anchor);
}

/** As GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map((match) => match[1]!.toLowerCase());
  return headings.map((heading) => heading.replace(/[^\w -]/g, "").replaceAll(" ", "-"));
}
