import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { wrapped } from "../pages/markdown.js";
import { everyMessage, type Section } from "./messages.js";

const PAGE = "spec/errors/messages.md";

const INTRODUCTION = `# Every error message

Each message says what happened, to which device at which gateway, and what to do; one about an argument names that. The
cause's own message comes last. \`npm run pages\` writes the page; \`spec/errors/messages.ts\` produces every message.
[What the codes mean](../../lib/api/README.md#errors)
`;

/** What a cause says is the system's, and differs from one Node.js to another. */
const CAUSE = / Cause: .*$/s;

let sections: readonly Section[];
let ofTheLibrary: readonly string[];

beforeAll(async () => {
  sections = await everyMessage();
  ofTheLibrary = sections.flatMap(([, messages]) => messages).filter((message) => /^[A-Z_]+: /.test(message));
});

/** Without the code, and without what a cause says. */
function ownWords(message: string): string {
  return message.replace(/^[A-Z_]+: /, "").replace(CAUSE, "");
}

function page(): string {
  const shown = sections.map(([title, messages]) => {
    const items = messages.map((message) =>
      wrapped(`- \`${message.replace(CAUSE, " Cause: …")}\``).replaceAll("\n  ", "\n"),
    );
    return `## ${title}\n\n${items.join("\n")}\n`;
  });
  return [INTRODUCTION, ...shown].join("\n");
}

describe("every error message", () => {
  it("stands on the page", () => {
    if (process.env["WRITE_PAGES"] !== undefined) writeFileSync(PAGE, page());
    expect(readFileSync(PAGE, "utf8")).toBe(page());
  });

  it("has at most three short sentences", () => {
    const sentences = ofTheLibrary.map((message) => ownWords(message).split(/(?<=[.?]) (?=[A-Z])/));
    expect(sentences.filter((all) => all.length > 3)).toEqual([]);
    expect(sentences.flat().filter((sentence) => sentence.length > 280)).toEqual([]);
  });

  it("names the device, unless the call itself was wrong", () => {
    const aboutCalls = /, but must be |has no property|not a client handle|threw when|options\.|config\.signal/;
    const others = ofTheLibrary.filter((message) => !aboutCalls.test(message));
    expect(others.filter((message) => !/device ".+", module \d+, type \d+, role "/.test(message))).toEqual([]);
  });

  it("says where the gateway is, unless nothing was sent to it", () => {
    const failed = sections.slice(0, 3).flatMap(([, messages]) => messages);
    expect(failed.length).toBeGreaterThan(40);
    expect(failed.filter((message) => !message.includes("at 127.0.0.1:1636)"))).toEqual([]);
  });

  it("says what to do", () => {
    const advice =
      /Check |Connect again|connect again|Disconnect |Wait |wait |Await |Unwrap |Send |Raise |Read |Correct |wrap |Pass |Did you|must be|must return|Its properties|Use /;
    // An aborted call, and code of the user's that threw, speak for themselves.
    const obvious = /aborted by its signal|threw/;
    const without = ofTheLibrary.filter((message) => !advice.test(message) && !obvious.test(message));
    expect(without).toEqual([]);
  });

  it("says of a device that is already connected that the gateway may not have noticed that it is not", () => {
    const refusals = ofTheLibrary.filter((message) => message.startsWith("DEVICE_ALREADY_CONNECTED"));
    const hint = "wait up to 33 s until the gateway notices that a former connection is lost";
    expect(refusals.map((message) => message.includes(hint))).toEqual([true, true]);
  });

  it("is in plain words", () => {
    const odd = /\b(nobody|whoever|anew|gives|tells?|told|stands|in hand|abandon\w*|what is no)\b/i;
    const words = ofTheLibrary.map(ownWords);
    expect(words.filter((message) => odd.test(message.replace("given to withClient", "")))).toEqual([]);
  });
});
