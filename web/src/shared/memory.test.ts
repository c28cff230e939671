import { expect, test } from "vitest";
import { WISHES as DEBATES } from "../debate/wishes";
import { WISHES as MEETINGS } from "../roulette/wishes";
import type { Debate, DebateWish } from "../debate/contract";
import { recall, remember } from "./memory";
import { visitReducer } from "./reducer";
import type { Visit } from "./visit";

const WISH: DebateWish = { topic: "Zoos should close", side: "against", tags: ["owls"] };
const ROOM = {
  room: "r",
  queue: "default",
  state: "active",
  startedAt: 0,
  endsAt: 9_000,
  resumed: false,
  history: [],
  tags: [],
  topic: WISH.topic,
  side: "for",
  partnerSide: "against",
} as const;

const reduce = visitReducer<Debate>(() => null);

function waiting(): Visit<Debate> {
  return reduce(recall<Debate>(null, DEBATES), { type: "wish:made", wish: WISH, now: 42 });
}

function reloaded(visit: Visit<Debate>): Visit<Debate> {
  return recall<Debate>(remember(visit), DEBATES);
}

test("waiting goes on after a reload", () => {
  expect(reloaded(waiting())).toMatchObject({
    wish: WISH,
    stage: { name: "waiting", since: 42, others: null },
    link: { name: "connecting" },
  });
});

test("conversation is asked back after a reload, and after two", () => {
  const room = { ...ROOM, history: [], tags: [] };
  const once = reloaded(reduce(waiting(), { type: "room:joined", room, now: 77 }));
  expect(once.stage).toEqual({ name: "returning", room: "r", startedAt: 77 });
  expect(reloaded(once).stage).toEqual({ name: "returning", room: "r", startedAt: 77 });
  expect(reduce(once, { type: "room:joined", room, now: 99 }).stage).toMatchObject({ startedAt: 77, endsAt: 9_077 });
});

test.each([
  null,
  "",
  "{",
  "[]",
  "7",
  '{"wish":{"topic":1,"side":"for"},"progress":{"stage":"waiting","since":0}}',
  '{"wish":{"topic":"x","side":"for","tags":"x"},"progress":{"stage":"waiting","since":0}}',
  '{"wish":{"topic":"x","side":"for"},"progress":{"stage":"talking","since":0}}',
  '{"wish":{"topic":"x","side":"for"},"progress":{"stage":"waiting"}}',
  '{"progress":"waiting"}',
])("unexpected %j counts as nothing", (stored) => {
  expect(recall<Debate>(stored, DEBATES).stage).toEqual({ name: "choosing", refusal: null });
});

test("each page knows its own wishes", () => {
  expect(MEETINGS.isWish({ media: "video", tags: ["owls"], language: "de" })).toBe(true);
  expect(MEETINGS.isWish({ media: "smell" })).toBe(false);
  expect(MEETINGS.isWish(WISH)).toBe(false);
  expect(DEBATES.isWish(WISH)).toBe(true);
  expect(DEBATES.isWish({ media: "video" })).toBe(false);
});
