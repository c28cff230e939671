import { expect, test } from "vitest";
import { clockFace, duration, endingWords, estimate, people, timeLeft } from "./words";

test.each([
  [0, "0:00"],
  [59_999, "0:59"],
  [60_000, "1:00"],
  [754_000, "12:34"],
  [-5, "0:00"],
])("clock shows %d ms as %s", (milliseconds, expected) => {
  expect(clockFace(milliseconds)).toBe(expected);
});

test.each([
  [0, "1 second"],
  [8_900, "8 seconds"],
  [60_000, "1 minute"],
  [65_000, "1 minute 5 seconds"],
  [121_000, "2 minutes 1 second"],
])("%d ms took %s", (milliseconds, expected) => {
  expect(duration(milliseconds)).toBe(expected);
});

test.each([
  [null, "not known yet"],
  [0, "a few seconds"],
  [4_999, "a few seconds"],
  [12_000, "about 15 seconds"],
  [54_000, "about 55 seconds"],
  [56_000, "about 1 minute"],
  [200_000, "about 3 minutes"],
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
