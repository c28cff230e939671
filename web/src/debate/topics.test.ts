import { expect, test } from "vitest";
import type { DebateLobby } from "./contract";
import { busy, cleanTopic, listed, OWN, openTopics, othersOn, type Picked, settle, total } from "./topics";

const quiet = (topic: string) => ({ topic, waiting: 0, debating: 0 });

const LOBBY: DebateLobby = {
  topics: [
    { topic: "Zoos should close", waiting: 1, debating: 2 },
    { topic: "Tea beats coffee", waiting: 0, debating: 0 },
  ],
  others: [{ topic: "Owls should vote", waiting: 3, debating: 4 }],
  ownTopics: true,
};
const CLOSED: DebateLobby = { ...LOBBY, others: [], ownTopics: false };

test.each([
  ["  Zoos   should\tclose ", "Zoos should close"],
  ["two\nlines\u0000", "two lines"],
  [" \u0007 ", ""],
])("topic %j is sent as %j", (typed, sent) => {
  expect(cleanTopic(typed)).toBe(sent);
});

test("open topics are those of other people that somebody waits on, busiest first, four at most", () => {
  const others = [
    { topic: "quiet", waiting: 0, debating: 4 },
    ...["e", "d", "c", "b"].map((topic) => ({ topic, waiting: 1, debating: 0 })),
    { topic: "busy", waiting: 3, debating: 0 },
  ];
  expect(openTopics({ ...LOBBY, others }).map(({ topic }) => topic)).toEqual(["busy", "b", "c", "d"]);
});

test("the catalogue comes first and in its order", () => {
  expect(listed(LOBBY)).toEqual(["Zoos should close", "Tea beats coffee", "Owls should vote"]);
});

test.each<[string, Picked, DebateLobby, Picked]>([
  ["the first one to begin with", { topic: null, own: "" }, LOBBY, { topic: "Zoos should close", own: "" }],
  ["one of the list", { topic: "Tea beats coffee", own: "x" }, LOBBY, { topic: "Tea beats coffee", own: "x" }],
  ["one's own", { topic: OWN, own: "Cats rule" }, LOBBY, { topic: OWN, own: "Cats rule" }],
  ["one that has left the list, as one's own", { topic: "Gone", own: "" }, LOBBY, { topic: OWN, own: "Gone" }],
  ["no own one where none is allowed", { topic: OWN, own: "x" }, CLOSED, { topic: "Zoos should close", own: "x" }],
  ["none that is not on a closed list", { topic: "Gone", own: "" }, CLOSED, { topic: "Zoos should close", own: "" }],
  ["one's own where nothing else is on offer", { topic: null, own: "" }, { ...LOBBY, topics: [], others: [] }, { topic: OWN, own: "" }],
])("picked is %s", (_, picked, lobby, expected) => {
  expect(settle(picked, lobby)).toEqual(expected);
});

test("figures of a topic and of the whole lobby", () => {
  expect(busy(LOBBY, "Owls should vote")).toEqual({ topic: "Owls should vote", waiting: 3, debating: 4 });
  expect(busy(LOBBY, "c")).toEqual(quiet("c"));
  expect([othersOn(LOBBY, "Owls should vote"), othersOn(LOBBY, "c")]).toEqual([2, 0]);
  expect(total(LOBBY)).toEqual({ waiting: 4, debating: 6 });
});
