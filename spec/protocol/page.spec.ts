import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "@jest/globals";
import { withGeneratedParts } from "./page.js";

it("lib/protocol/README.md shows the table and the diagram of the code", () => {
  const path = "lib/protocol/README.md";
  const page = readFileSync(path, "utf8");
  if (process.env["WRITE_PAGES"] !== undefined) writeFileSync(path, withGeneratedParts(page));
  else expect(page).toBe(withGeneratedParts(page));
});
