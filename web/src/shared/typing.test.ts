import { expect, test } from "vitest";
import { type Pace, SILENT, stopped, typed } from "./typing";

const WRITING: Pace = { name: "writing", toldAt: 1_000, until: 5_000 };

test("first letter is told", () => {
  expect(typed(SILENT, "a", 1_000)).toEqual({ pace: WRITING, tell: true });
});

test("more letters are told now and again", () => {
  expect(typed(WRITING, "ab", 3_999)).toEqual({ pace: { ...WRITING, until: 7_999 }, tell: null });
  expect(typed(WRITING, "abc", 4_000)).toMatchObject({ pace: { toldAt: 4_000 }, tell: true });
});

test("emptied text and silence are told once", () => {
  expect(typed(WRITING, "", 1_500)).toEqual({ pace: SILENT, tell: false });
  expect(stopped(WRITING)).toEqual({ pace: SILENT, tell: false });
  expect(stopped(SILENT)).toEqual({ pace: SILENT, tell: null });
});
