import { expect, test } from "vitest";
import { endingWords, estimate, minutes, people, timeLeft } from "./words";

test.each([
  [0, "0:00"],
  [59_999, "0:59"],
  [60_000, "1:00"],
  [754_000, "12:34"],
  [-5, "0:00"],
])("%d ms reads %s", (milliseconds, expected) => {
  expect(minutes(milliseconds)).toBe(expected);
});

test.each([
  [null, "not known yet"],
  [0, "a few seconds"],
  [4_999, "a few seconds"],
  [12_000, "about 15 s"],
  [54_000, "about 55 s"],
  [56_000, "about 1 min"],
  [200_000, "about 3 min"],
])("usual wait of %j ms reads %s", (estimatedWaitMs, expected) => {
  expect(estimate({ estimatedWaitMs })).toBe(expected);
});

test.each([
  [90_000, "2 minutes left."],
  [60_000, "One minute left."],
  [30_000, "Half a minute left."],
  [10_000, "Ten seconds left."],
  [-1, "Ten seconds left."],
])("%d ms before the end one hears %s", (milliseconds, expected) => {
  expect(timeLeft(milliseconds)).toBe(expected);
});

test("counts agree with their nouns", () => {
  expect([0, 1, 2].map(people)).toEqual(["0 people", "1 person", "2 people"]);
});

test("every ending has its own words", () => {
  const endings = [
    "time",
    "left",
    "partner_gone",
    "reported",
    "drain",
    "operator",
    "you_left",
    "you_reported",
    "you_blocked",
    "lost",
  ] as const;
  const titles = endings.map((ending) => endingWords(ending, "debate").title);
  expect(new Set(titles).size).toBe(endings.length);
});
