import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, expect, it } from "@jest/globals";
import { main } from "../../lib/cli/main.js";
import { eventually } from "../support/eventually.js";
import { examplesOf, withGeneratedParts } from "./page.js";
import { createStage } from "./surroundings.js";

const path = "lib/cli/README.md";

it(`${path} says what the commands take`, () => {
  const page = readFileSync(path, "utf8");
  if (process.env["WRITE_PAGES"] !== undefined) writeFileSync(path, withGeneratedParts(page));
  else expect(page).toBe(withGeneratedParts(page));
});

const serving = createStage();
let ended: Promise<number> | undefined;

afterAll(async () => {
  serving.interrupt();
  await ended;
});

/** Times and the port are another each time. */
function withoutTimes(text: string): string {
  return text.replace(/\d\d:\d\d:\d\d\.\d{3}|\d+(\.\d)? ms|127\.0\.0\.1:\d+/g, "…");
}

it(`the examples in ${path} write what stands there`, async () => {
  const [first, ...others] = examplesOf(readFileSync(path, "utf8"));
  ended = main([...first!.args, "--port", "0"], serving, "1.2.3");
  await eventually(() => expect(withoutTimes(serving.output.text)).toBe(withoutTimes(first!.output)));
  const [, port = ""] = /:(\d+),/.exec(serving.output.text) ?? [];
  expect(others).toHaveLength(2);
  for (const { args, output } of others) {
    const stage = createStage();
    const code = await main([...args, "--port", port], stage, "1.2.3");
    expect({ code, errors: stage.errors.text }).toEqual({ code: 0, errors: "" });
    expect(withoutTimes(stage.output.text)).toBe(withoutTimes(output));
  }
});
