import { describe, expect, it } from "@jest/globals";
import * as valibot from "valibot";
import { AutonomyCommand, AutonomyCommand_Action as Action } from "../../generated/mission.js";
import { json, optional, protobuf, text, type StandardSchema } from "../../lib/index.js";
import { fromHex, hex, utf8 } from "../support/bytes.js";
import { device, read, unreadable, unwritable, written } from "./coding.js";

const REJECTED = { path: "$", message: "the validator rejected it" };
/** "7" in JSON. */
const SEVEN = "37";

describe("json without a validator", () => {
  it("writes JSON in UTF-8, without spaces", () => {
    expect(written(json(), { a: [1, null, "é"] })).toBe("7b2261223a5b312c6e756c6c2c22c3a9225d7d");
  });

  it.each([
    ["7b2022706f73223a202d312e35207d", { pos: -1.5 }],
    ["6e756c6c", null],
    ["2264656661756c745f636f6d6d616e6422", "default_command"],
    ["5b5d", []],
  ])("reads %s", (bytes, value) => {
    expect(read(json(), bytes)).toEqual(value);
  });

  it.each([
    ["nothing", "", "it is not JSON"],
    ["half an object", "7b2261223a", "it is not JSON"],
    ["an object and more", "7b7d7b7d", "it is not JSON"],
    ["a byte order mark", "efbbbf7b7d", "it is not JSON"],
    ["bytes that are not UTF-8", "22ff22", "it is not UTF-8 text"],
    ["a surrogate written as UTF-8", "22eda08022", "it is not UTF-8 text"],
  ])("does not read %s", (_, bytes, message) => {
    expect(unreadable(json(), bytes)).toMatchObject({ path: "$", message });
  });

  it.each([undefined, () => 1, Symbol("x")])("does not write %p, which JSON cannot write", (payload) => {
    expect(unwritable(json(), payload)).toEqual({
      path: "$",
      message: "it is undefined, a function or a symbol, which JSON cannot write",
    });
  });

  it("does not write what JSON cannot: a cycle, a BigInt, a toJSON that throws", () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const throwing = {
      toJSON() {
        throw new Error("boom");
      },
    };
    for (const payload of [cycle, { big: 1n }, throwing]) {
      const problem = unwritable(json(), payload);
      expect(problem).toMatchObject({ path: "$", message: "JSON.stringify threw" });
      expect((problem.cause as Error).message).not.toBe("");
    }
  });
});

describe("json with a function as its validator", () => {
  const isCount = (value: unknown): value is number => Number.isInteger(value);

  it("accepts what the function accepts, and refuses the rest, in both directions", () => {
    expect(written(json(isCount), 7)).toBe(SEVEN);
    expect(read(json(isCount), "2d37")).toBe(-7);
    expect(unwritable(json(isCount), 1.5)).toEqual(REJECTED);
    expect(unreadable(json(isCount), "223722")).toEqual(REJECTED);
  });

  it("refuses an async function, whose promise would count as true, without an unhandled rejection", async () => {
    for (const validator of [async () => false, () => Promise.reject(new Error("boom"))]) {
      expect(unwritable(json(validator as never), 7).message).toMatch(/asynchronous/);
      expect(unreadable(json(validator as never), SEVEN).message).toMatch(/asynchronous/);
    }
    await new Promise((resolve) => setImmediate(resolve));
  });
});

describe("json with a Standard Schema", () => {
  function schemaOf<Payload>(validate: StandardSchema<Payload>["~standard"]["validate"]): StandardSchema<Payload> {
    return { "~standard": { version: 1, vendor: "by hand", validate } };
  }

  it("returns the schema's output", () => {
    const doubled = schemaOf<number>((value) => ({ value: (value as number) * 2 }));
    expect(read(json(doubled), SEVEN)).toBe(14);
  });

  it.each([
    [undefined, "$"],
    [[], "$"],
    [["lamps", 0, "lit_up"], "$.lamps[0].lit_up"],
    [[{ key: "lamps" }, { key: 2 }], "$.lamps[2]"],
    [[Symbol("hidden")], "$.Symbol(hidden)"],
  ])("says where, by the first issue's path %p", (path, shown) => {
    const refusing = schemaOf<number>(() => ({ issues: [{ message: "first", path }, { message: "second" }] }));
    const problem = { path: shown, message: "first" };
    expect(unreadable(json(refusing), SEVEN)).toEqual(problem);
    expect(unwritable(json(refusing), 1)).toEqual(problem);
  });

  it("refuses even if the schema names no issue", () => {
    expect(unreadable(json(schemaOf<number>(() => ({ issues: [] }))), SEVEN)).toMatchObject({ path: "$" });
  });

  it("refuses a schema whose validation is asynchronous, without an unhandled rejection", async () => {
    for (const promise of [() => Promise.resolve({ value: 1 }), () => Promise.reject(new Error("boom"))]) {
      const problem = unreadable(json(schemaOf<number>(promise)), SEVEN);
      expect(problem).toMatchObject({ path: "$", message: expect.stringMatching(/asynchronous/) });
    }
    await new Promise((resolve) => setImmediate(resolve));
  });

  it("takes a schema that is itself a function", () => {
    const schema = schemaOf<number>((value) => ({ value: value as number }));
    expect(read(json<number>(Object.assign(() => false, schema)), SEVEN)).toBe(7);
  });

  it("takes a schema of valibot, and says where and what is wrong", () => {
    const codec = json(valibot.object({ lamps: valibot.array(valibot.object({ lit_up: valibot.boolean() })) }));
    const lit = '{"lamps":[{"lit_up":true}]}';
    expect(written(codec, { lamps: [{ lit_up: true }] })).toBe(hex(utf8(lit)));
    expect(read(codec, hex(utf8(lit)))).toEqual({ lamps: [{ lit_up: true }] });
    const problem = codec.decode(utf8('{"lamps":[{"lit_up":true},{"lit_up":1}]}'), device)._unsafeUnwrapErr();
    expect(problem).toMatchObject({ path: "$.lamps[1].lit_up", message: expect.stringMatching(/boolean/) });
  });
});

describe("text", () => {
  it.each([
    ["", ""],
    ["default", "64656661756c74"],
    ["Stav účtu ☃", "5374617620c3bac48d747520e29883"],
    ["\ufeffmarked", "efbbbf6d61726b6564"],
    ["\u0000", "00"],
  ])("writes and reads %j", (payload, bytes) => {
    expect(written(text(), payload)).toBe(bytes);
    expect(read(text(), bytes)).toBe(payload);
  });

  it.each(["ff", "c3", "61eda080", "c0af"])("does not read what is not UTF-8: %s", (bytes) => {
    expect(unreadable(text(), bytes)).toMatchObject({ path: "$", message: "it is not UTF-8 text" });
  });

  it("does not write a lone surrogate, nor what is not a string", () => {
    expect(unwritable(text(), "a\ud800").message).toMatch(/lone surrogate/);
    for (const payload of [7, null, undefined, Buffer.from("a"), {}]) {
      expect(unwritable(text(), payload)).toEqual({ path: "$", message: "it is not a string" });
    }
  });
});

describe("protobuf", () => {
  const codec = protobuf(AutonomyCommand);

  // stops (1): { name (1): "A" }, route (2): "R", action (3): START = 2
  const bytes = "0a030a0141" + "120152" + "1802";
  const command = { stops: [{ name: "A", position: undefined }], route: "R", action: Action.START };

  it("writes and reads a message, and skips unknown fields", () => {
    expect(written(codec, command)).toBe(bytes);
    expect(read(codec, bytes)).toEqual(command);
    expect(read(codec, `${bytes}7a0161`)).toEqual(command);
  });

  it("reads nothing as a message of defaults, and writes that as nothing", () => {
    const empty = { stops: [], route: "", action: Action.NO_ACTION };
    expect(read(codec, "")).toEqual(empty);
    expect(written(codec, empty)).toBe("");
  });

  it.each([
    ["a field cut short", "120552"],
    ["a tag of 0 with something behind it", "00ff"],
    ["a varint without end", "18ffffffffffffffffffffff"],
    ["text", "6e756c6c"],
  ])("does not read %s", (_, broken) => {
    const problem = unreadable(codec, broken);
    expect(problem).toMatchObject({ path: "$", message: "it is not protobuf" });
    expect(problem.cause).toBeDefined();
  });

  it.each([
    ["undefined", undefined],
    ["null", null],
    ["a message without its lists", { route: "R" }],
    ["a message with a number where a list belongs", { stops: 7, route: "R", action: 0 }],
  ])("does not write %s", (_, payload) => {
    const problem = unwritable(codec, payload);
    expect(problem).toMatchObject({ path: "$", message: "it cannot be written as protobuf" });
    expect(problem.cause).toBeDefined();
  });

  it("checks payloads in both directions with its validator, if it has one", () => {
    const isRouted = (value: unknown): value is AutonomyCommand => (value as AutonomyCommand).route !== "";
    const checked = protobuf<AutonomyCommand>(AutonomyCommand, isRouted);
    expect(written(checked, command)).toBe(bytes);
    expect(read(checked, bytes)).toEqual(command);
    expect(unwritable(checked, { ...command, route: "" })).toEqual(REJECTED);
    expect(unreadable(checked, "1802")).toEqual(REJECTED);
  });
});

it("optional reads 0 bytes as undefined, and writes undefined as 0 bytes; it leaves all else to its codec", () => {
  const codec = optional(json<{ lit_up: boolean }>());
  expect(read(codec, "")).toBeUndefined();
  expect(written(codec, undefined)).toBe("");
  expect(written(codec, { lit_up: true })).toBe("7b226c69745f7570223a747275657d");
  expect(read(codec, "7b226c69745f7570223a747275657d")).toEqual({ lit_up: true });
  expect(codec.decode(fromHex("00"), device).isErr()).toBe(true);
});
