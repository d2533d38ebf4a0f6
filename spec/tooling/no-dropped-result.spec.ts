import { describe, expect, test } from "@jest/globals";
import { Linter } from "eslint";
import tseslint from "typescript-eslint";
import noDroppedResult from "../../scripts/eslint-rules/no-dropped-result.js";

const given = `
  import { err, errAsync, ok, okAsync, type Result, type ResultAsync } from "neverthrow";
  declare const result: () => Result<number, Error>;
  declare const resultAsync: () => ResultAsync<number, Error>;
  declare const promised: () => Promise<Result<number, Error>>;
  declare const maybe: boolean;
  let kept: Result<number, Error>;
`;

function reports(statement: string): string[] {
  return new Linter()
    .verify(
      given + statement,
      {
        files: ["*.ts"],
        languageOptions: {
          parser: tseslint.parser,
          parserOptions: { projectService: { allowDefaultProject: ["*.ts"] }, tsconfigRootDir: process.cwd() },
        },
        plugins: { local: { rules: { "no-dropped-result": noDroppedResult } } },
        rules: { "local/no-dropped-result": "error" },
      },
      { filename: "statement.ts" },
    )
    .map(({ messageId, message }) => messageId ?? message);
}

describe("no-dropped-result", () => {
  test.each([
    "err(1);",
    "errAsync(1);",
    "result();",
    "result().map((value) => value + 1);",
    "resultAsync();",
    "resultAsync().andThen(() => result());",
    "await resultAsync();",
    "await promised();",
    "maybe && result();",
    "maybe ? result() : undefined;",
    "await Promise.all([resultAsync()]);",
    "async function unseen() { await promised(); }",
  ])("reports %s", (statement) => {
    expect(reports(statement)).toEqual(["dropped"]);
  });

  test.each([
    "ok(1);",
    "await okAsync(1);",
    "void result();",
    "void resultAsync();",
    "void (await promised());",
    "const value = result();",
    "kept = result();",
    "result().unwrapOr(0);",
    "await resultAsync().unwrapOr(0);",
    "await resultAsync().match(() => undefined, () => undefined);",
    "const give = () => resultAsync();",
    "class Ok {} new Ok();",
  ])("accepts %s", (statement) => {
    expect(reports(statement)).toEqual([]);
  });
});
