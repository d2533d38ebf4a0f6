import { describe, expect, it } from "@jest/globals";
import * as valibot from "valibot";
import { AutonomyCommand, AutonomyCommand_Action as Action } from "../../generated/mission.js";
import { json, optional, protobuf, text, type Codec, type StandardSchema } from "../../lib/index.js";
import { fromHex, hex, utf8 } from "../support/bytes.js";

const device = { module: 1000, deviceType: 0, deviceRole: "test", deviceName: "button1", priority: 0 };

function written<Payload>(codec: Codec<Payload>, payload: Payload): string {
  return hex(codec.encode(payload, device)._unsafeUnwrap());
}

function read<Payload>(codec: Codec<Payload>, bytes: string): Payload {
  return codec.decode(fromHex(bytes), device)._unsafeUnwrap();
}

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
    const problem = json().decode(fromHex(bytes), device)._unsafeUnwrapErr();
    expect(problem).toMatchObject({ path: "$", message });
  });

  it.each([undefined, () => 1, Symbol("x")])("does not write %p, which has no JSON form", (payload) => {
    expect(json().encode(payload, device)._unsafeUnwrapErr()).toEqual({ path: "$", message: "it has no JSON form" });
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
      const problem = json().encode(payload, device)._unsafeUnwrapErr();
      expect(problem).toMatchObject({ path: "$", message: "it cannot be written as JSON" });
      expect((problem.cause as Error).message).not.toBe("");
    }
  });
});

describe("json with a function as its validator", () => {
  const isCount = (value: unknown): value is number => Number.isInteger(value);

  it("accepts what the function accepts, in both directions", () => {
    expect(written(json(isCount), 7)).toBe("37");
    expect(read(json(isCount), "2d37")).toBe(-7);
  });

  it("refuses what the function does not accept, in both directions", () => {
    const problem = { path: "$", message: "the validator rejected it" };
    expect(json(isCount).encode(1.5, device)._unsafeUnwrapErr()).toEqual(problem);
    expect(json(isCount).decode(utf8('"7"'), device)._unsafeUnwrapErr()).toEqual(problem);
  });

  it("refuses an async function, whose promise would count as true", () => {
    const asynchronous = json((async () => false) as never);
    for (const outcome of [asynchronous.encode(7, device), asynchronous.decode(utf8("7"), device)]) {
      expect(outcome._unsafeUnwrapErr().message).toMatch(/asynchronous/);
    }
  });

  it("refuses an async function that rejects, without an unhandled rejection", async () => {
    const rejecting = json((() => Promise.reject(new Error("boom"))) as never);
    expect(rejecting.decode(utf8("7"), device)._unsafeUnwrapErr().message).toMatch(/asynchronous/);
    await new Promise((resolve) => setImmediate(resolve));
  });
});

describe("json with a Standard Schema", () => {
  function schemaOf<Payload>(validate: StandardSchema<Payload>["~standard"]["validate"]): StandardSchema<Payload> {
    return { "~standard": { version: 1, vendor: "by hand", validate } };
  }

  it("returns the schema's output", () => {
    const doubled = schemaOf<number>((value) => ({ value: (value as number) * 2 }));
    expect(read(json(doubled), "37")).toBe(14);
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
    expect(json(refusing).decode(utf8("1"), device)._unsafeUnwrapErr()).toEqual(problem);
    expect(json(refusing).encode(1, device)._unsafeUnwrapErr()).toEqual(problem);
  });

  it("refuses even if the schema names no issue", () => {
    const refusing = schemaOf<number>(() => ({ issues: [] }));
    expect(json(refusing).decode(utf8("1"), device)._unsafeUnwrapErr()).toMatchObject({ path: "$" });
  });

  it("refuses a schema whose validation is asynchronous, without an unhandled rejection", async () => {
    for (const promise of [() => Promise.resolve({ value: 1 }), () => Promise.reject(new Error("boom"))]) {
      const problem = json(schemaOf<number>(promise)).decode(utf8("1"), device)._unsafeUnwrapErr();
      expect(problem).toMatchObject({ path: "$" });
      expect(problem.message).toMatch(/asynchronous/);
    }
    await new Promise((resolve) => setImmediate(resolve));
  });

  it("takes a schema that is itself a function", () => {
    const callable = Object.assign(
      () => false,
      schemaOf<number>((value) => ({ value: value as number })),
    );
    expect(read(json<number>(callable), "37")).toBe(7);
  });
});

describe("json with a schema of valibot", () => {
  const lamps = valibot.object({ lamps: valibot.array(valibot.object({ lit_up: valibot.boolean() })) });

  it("accepts what the schema accepts, in both directions", () => {
    const codec = json(lamps);
    expect(hex(codec.encode({ lamps: [{ lit_up: true }] }, device)._unsafeUnwrap())).toBe(
      "7b226c616d7073223a5b7b226c69745f7570223a747275657d5d7d",
    );
    expect(codec.decode(utf8('{"lamps":[{"lit_up":false}]}'), device)._unsafeUnwrap()).toEqual({
      lamps: [{ lit_up: false }],
    });
  });

  it("says where and what is wrong", () => {
    const problem = json(lamps).decode(utf8('{"lamps":[{"lit_up":true},{"lit_up":1}]}'), device)._unsafeUnwrapErr();
    expect(problem.path).toBe("$.lamps[1].lit_up");
    expect(problem.message).toMatch(/boolean/);
  });
});

describe("text", () => {
  it.each([
    ["", ""],
    ["default", "64656661756c74"],
    ["Stav účtu ☃", "5374617620c3ba c48d7475 20e29883".replaceAll(" ", "")],
    ["\ufeffmarked", "efbbbf6d61726b6564"],
    ["\u0000", "00"],
  ])("writes and reads %j", (payload, bytes) => {
    expect(written(text(), payload)).toBe(bytes);
    expect(read(text(), bytes)).toBe(payload);
  });

  it("does not read what is not UTF-8", () => {
    for (const bytes of ["ff", "c3", "61eda080", "c0af"]) {
      expect(text().decode(fromHex(bytes), device)._unsafeUnwrapErr()).toMatchObject({
        path: "$",
        message: "it is not UTF-8 text",
      });
    }
  });

  it("does not write a lone surrogate, nor what is not a string", () => {
    expect(text().encode("a\ud800", device)._unsafeUnwrapErr().message).toMatch(/lone surrogate/);
    for (const payload of [7, null, undefined, Buffer.from("a"), {}]) {
      expect(
        text()
          .encode(payload as never, device)
          ._unsafeUnwrapErr(),
      ).toEqual({ path: "$", message: "it is not a string" });
    }
  });
});

describe("protobuf", () => {
  const codec = protobuf(AutonomyCommand);

  // stops (1): { name (1): "A" }, route (2): "R", action (3): START = 2
  const bytes = "0a030a0141" + "120152" + "1802";
  const command = { stops: [{ name: "A", position: undefined }], route: "R", action: Action.START };

  it("writes and reads a message", () => {
    expect(written(codec, command)).toBe(bytes);
    expect(read(codec, bytes)).toEqual(command);
  });

  it("reads nothing as a message of defaults, and writes that as nothing", () => {
    const empty = { stops: [], route: "", action: Action.NO_ACTION };
    expect(read(codec, "")).toEqual(empty);
    expect(written(codec, empty)).toBe("");
  });

  it("skips unknown fields", () => {
    expect(read(codec, `${bytes}7a0161`)).toEqual(command);
  });

  it.each([
    ["a field cut short", "120552"],
    ["a tag of 0 with something behind it", "00ff"],
    ["a varint without end", "18ffffffffffffffffffffff"],
    ["text", "6e756c6c"],
  ])("does not read %s", (_, broken) => {
    const problem = codec.decode(fromHex(broken), device)._unsafeUnwrapErr();
    expect(problem).toMatchObject({ path: "$", message: "it is not protobuf" });
    expect(problem.cause).toBeDefined();
  });

  it("checks payloads in both directions with its validator, if it has one", () => {
    const isRouted = (value: unknown): value is AutonomyCommand => (value as AutonomyCommand).route !== "";
    const checked = protobuf<AutonomyCommand>(AutonomyCommand, isRouted);
    const problem = { path: "$", message: "the validator rejected it" };
    expect(written(checked, command)).toBe(bytes);
    expect(read(checked, bytes)).toEqual(command);
    expect(checked.encode({ ...command, route: "" }, device)._unsafeUnwrapErr()).toEqual(problem);
    expect(checked.decode(fromHex("1802"), device)._unsafeUnwrapErr()).toEqual(problem);
  });

  it.each([
    ["undefined", undefined],
    ["null", null],
    ["a message without its lists", { route: "R" }],
    ["a message with a number where a list belongs", { stops: 7, route: "R", action: 0 }],
  ])("does not write %s", (_, payload) => {
    const problem = codec.encode(payload as never, device)._unsafeUnwrapErr();
    expect(problem).toMatchObject({ path: "$", message: "it cannot be written as protobuf" });
    expect(problem.cause).toBeDefined();
  });
});

describe("optional", () => {
  const codec = optional(json<{ lit_up: boolean }>());

  it("reads 0 bytes as undefined, and writes undefined as 0 bytes", () => {
    expect(codec.decode(new Uint8Array(0), device)._unsafeUnwrap()).toBeUndefined();
    expect(codec.encode(undefined, device)._unsafeUnwrap()).toEqual(new Uint8Array(0));
  });

  it("leaves everything else to its codec", () => {
    expect(written(codec, { lit_up: true })).toBe("7b226c69745f7570223a747275657d");
    expect(read(codec, "7b226c69745f7570223a747275657d")).toEqual({ lit_up: true });
    expect(codec.decode(fromHex("00"), device).isErr()).toBe(true);
  });
});
