import { expect, test } from "vitest";
import { recall } from "./memory";
import { reduce } from "./reducer";
import { company, endingWords, minutes, people, tabTitle } from "./words";

test.each([
  [0, "0:00"],
  [59_999, "0:59"],
  [60_000, "1:00"],
  [754_000, "12:34"],
  [-5, "0:00"],
])("%d ms reads %s", (milliseconds, expected) => {
  expect(minutes(milliseconds)).toBe(expected);
});

test("counts agree with their nouns", () => {
  expect([0, 1, 2].map(people)).toEqual(["0 people", "1 person", "2 people"]);
  expect(company(1)).toContain("1 other person waits");
  expect(company(2)).toContain("2 other people wait");
});

test("every ending has its own words", () => {
  const endings = ["time", "left", "partner_gone", "drain", "you_left", "lost"] as const;
  const titles = endings.map((ending) => endingWords(ending).title);
  expect(new Set(titles).size).toBe(endings.length);
});

test("title of the tab counts what was not read", () => {
  const room = { room: "r", topic: "Zoos should close", side: "for", endsAt: 9 } as const;
  const talking = reduce(recall(null), { type: "room:joined", room, now: 1 });
  expect(tabTitle(talking, 0)).toBe("Zoos should close · Throng");
  expect(tabTitle(talking, 3)).toBe("(3) Zoos should close · Throng");
});
