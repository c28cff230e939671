import { expect, test } from "vitest";
import { busy, cleanTopic, openTopics, othersOn, SUGGESTIONS, TOPIC_MAX, total } from "./topics";

test.each([
  ["  Zoos   should\tclose ", "Zoos should close"],
  ["two\nlines\u0000", "two lines"],
  [" \u0007 ", ""],
])("topic %j is sent as %j", (typed, sent) => {
  expect(cleanTopic(typed)).toBe(sent);
});

test("suggestions are topics the page itself would send", () => {
  for (const topic of SUGGESTIONS) {
    expect(cleanTopic(topic)).toBe(topic);
    expect(topic.length).toBeLessThanOrEqual(TOPIC_MAX);
  }
});

test("open topics are those of other people that somebody waits on, busiest first, four at most", () => {
  const lobby = [
    { topic: SUGGESTIONS[0]!, waiting: 9, debating: 0 },
    { topic: "quiet", waiting: 0, debating: 4 },
    ...["e", "d", "c", "b"].map((topic) => ({ topic, waiting: 1, debating: 0 })),
    { topic: "busy", waiting: 3, debating: 0 },
  ];
  expect(openTopics(lobby).map(({ topic }) => topic)).toEqual(["busy", "b", "c", "d"]);
});

test("figures of a topic and of the whole lobby", () => {
  const lobby = [
    { topic: "a", waiting: 1, debating: 2 },
    { topic: "b", waiting: 3, debating: 4 },
  ];
  expect(busy(lobby, "b")).toEqual({ topic: "b", waiting: 3, debating: 4 });
  expect(busy(lobby, "c")).toEqual({ topic: "c", waiting: 0, debating: 0 });
  expect([othersOn(lobby, "b"), othersOn(lobby, "c")]).toEqual([2, 0]);
  expect(total(lobby)).toEqual({ waiting: 4, debating: 6 });
});
