import { execFileSync } from "node:child_process";
import { truncateSync, writeFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { readStatus } from "../../lib/cli/status-source.js";
import { endAll, temporaryFile } from "./surroundings.js";

afterEach(endAll);

const LIMIT = 16 * 1024 * 1024;
const input = new PassThrough();
const { signal } = new AbortController();

function fromFile(path: string, until = signal): Promise<Uint8Array> {
  return readStatus({ from: "file", path }, { input, signal: until });
}

describe("a status file", () => {
  it("is read to its end, however long it is", async () => {
    const path = temporaryFile();
    const bytes = Buffer.alloc(200_000, "ab");
    writeFileSync(path, bytes);
    expect(Buffer.compare(await fromFile(path), bytes)).toBe(0);
  });

  it("is not read when it is larger than a status can be", async () => {
    const path = temporaryFile();
    writeFileSync(path, "");
    truncateSync(path, 1024 ** 4);
    await expect(fromFile(path)).rejects.toThrow(
      `the status cannot be read: it has ${1024 ** 4} bytes, and a status at most ${LIMIT}`,
    );
  });

  const onUnix = process.platform === "win32" ? it.skip : it;

  onUnix("without an end is read no further than a status can be", async () => {
    await expect(fromFile("/dev/zero")).rejects.toThrow(/it has too many bytes/);
  });

  onUnix("that is a FIFO can be interrupted before anybody writes to it", async () => {
    const path = temporaryFile();
    execFileSync("sh", ["-c", 'mkfifo "$0"', path]);
    const ending = new AbortController();
    const reading = fromFile(path, ending.signal);
    await sleep(50);
    ending.abort();
    await expect(reading).rejects.toThrow(/the status cannot be read/);
  });
});

it("standard input is read no further than a status can be", async () => {
  const endless = new PassThrough();
  const reading = readStatus({ from: "input" }, { input: endless, signal });
  const rejected = expect(reading).rejects.toThrow(/it has too many bytes/);
  const chunk = Buffer.alloc(1024 * 1024);
  while (!endless.destroyed) {
    endless.write(chunk);
    await sleep(0);
  }
  await rejected;
});
