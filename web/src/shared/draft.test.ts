import { expect, test } from "vitest";
import { keepDraft, keptDraft, length, oneLine, sendable } from "./draft";

test.each([
  ["", false],
  ["   ", false],
  ["x", true],
  ["x".repeat(500), true],
  [`  ${"x".repeat(500)}  `, true],
  ["x".repeat(501), false],
  ["🦉".repeat(500), true],
  ["🦉".repeat(501), false],
])("case %#: sendable is %s", (text, expected) => {
  expect(sendable(text)).toBe(expected);
});

test("an emoji counts as one character", () => {
  expect(length(" 🦉a ")).toBe(2);
});

test("pasted lines become one line", () => {
  expect(oneLine("a\r\nb\tc\u0007d")).toBe("a b c d");
});

test("draft is kept for its room only", () => {
  keepDraft("r1", "half a thought");
  expect(keptDraft("r1")).toBe("half a thought");
  expect(keptDraft("r")).toBe("");
  expect(keptDraft("r2")).toBe("");
});
