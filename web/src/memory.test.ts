import { expect, test } from "vitest";
import { recall, remember } from "./memory";
import { reduce } from "./reducer";
import type { State } from "./state";

const WISH = { topic: "Zoos should close", side: "against" } as const;

function waiting(): State {
  return reduce(recall(null), { type: "wish:made", wish: WISH, now: 42 });
}

test("waiting goes on after a reload", () => {
  expect(recall(remember(waiting()))).toMatchObject({
    wish: WISH,
    stage: { name: "waiting", since: 42, others: null },
    link: { name: "connecting" },
  });
});

test("debate is asked back after a reload, and after two", () => {
  const room = { room: "r", topic: WISH.topic, side: "for", endsAt: 9_000 } as const;
  const once = recall(remember(reduce(waiting(), { type: "room:joined", room, now: 77 })));
  expect(once.stage).toEqual({ name: "returning", startedAt: 77 });
  expect(recall(remember(once)).stage).toEqual({ name: "returning", startedAt: 77 });
});

test.each([null, "", "{", "[]", "7", '{"wish":{"topic":1,"side":"for"},"stage":null,"since":0}', '{"stage":"waiting"}'])(
  "unexpected %j counts as nothing",
  (stored) => {
    expect(recall(stored).stage).toEqual({ name: "choosing", refusal: null });
  },
);
