import { expect, test } from "vitest";
import { addTags, cleanTag, TAG_MAX } from "./tags";

test.each([
  ["  Jazz ", "jazz"],
  ["board   games", "boardgames"],
  ["sci-fi!", "scifi"],
  ["C++", "c"],
  ["<b>", "b"],
  ["Käse", "kase"],
  ["🦉", ""],
  ["x".repeat(40), "x".repeat(TAG_MAX)],
])("tag %j is sent as %j", (typed, sent) => {
  expect(cleanTag(typed)).toBe(sent);
});

test("what was typed is cut at commas; doubles and what is too many are left out", () => {
  expect(addTags(["a"], "b, A,, c")).toEqual(["a", "b", "c"]);
  expect(addTags(["a", "b", "c", "d", "e"], "f")).toEqual(["a", "b", "c", "d", "e"]);
});
