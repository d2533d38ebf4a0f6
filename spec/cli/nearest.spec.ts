import { describe, expect, it } from "@jest/globals";
import { editDistance, nearest } from "../../lib/cli/nearest.js";

describe("the word that was probably meant", () => {
  const options = ["host", "port", "status", "status-file", "connect-timeout"];

  it.each([
    ["prot", "port"],
    ["hosts", "host"],
    ["statsu-file", "status-file"],
    ["conect-timeout", "connect-timeout"],
    ["status", "status"],
  ])("takes %s for %s, which differs by few letters", (word, meant) => {
    expect(nearest(word, options)).toBe(meant);
  });

  it("takes a beginning for the word that it begins", () => {
    expect(nearest("conn", options)).toBe("connect-timeout");
  });

  it.each(["x", "verbose", "", "p"])("takes %j for nothing", (word) => {
    expect(nearest(word, options)).toBeUndefined();
  });

  it.each([
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "", 3],
    ["watch", "wach", 1],
    ["watch", "watches", 2],
    ["kitten", "sitting", 3],
    ["ab", "ba", 2],
  ])("counts from %j to %j %i letters put in, left out or replaced", (one, other, distance) => {
    expect(editDistance(one, other)).toBe(distance);
  });
});
