import { expect, test } from "vitest";
import { recall } from "../shared/memory";
import { visitReducer } from "../shared/reducer";
import type { Debate } from "./contract";
import { WISHES } from "./wishes";
import { company, tabTitle } from "./words";

const ROOM = {
  room: "r",
  queue: "default",
  state: "active",
  startedAt: 0,
  endsAt: 9,
  resumed: false,
  history: [],
  tags: [],
  topic: "Zoos should close",
  side: "for",
  partnerSide: "against",
} satisfies Debate["room"];

test("company agrees with its number", () => {
  expect(company(1)).toContain("1 other person waits");
  expect(company(2)).toContain("2 other people wait");
});

test("title of the tab counts what was not read", () => {
  const reduce = visitReducer<Debate>(() => null);
  const talking = reduce(recall<Debate>(null, WISHES), { type: "room:joined", room: ROOM, now: 1 });
  expect(tabTitle(talking, 0)).toBe("Zoos should close · Throng");
  expect(tabTitle(talking, 3)).toBe("(3) Zoos should close · Throng");
});
