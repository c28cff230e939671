// That the figures show what they are about.

import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "./verdict.mjs";

const TIMES = { struckAt: 1_000, overAt: 2_000 };

/** Somebody of the room who has said nothing, but for what is given. */
const person = (number, rest) => ({ number, room: "r", heard: {}, said: [], losses: [], returns: [], ...rest });

/** The figures of a speaker who says three things and hears all of them, with others. */
function figures(...others) {
  const speaker = person(0, { said: [100, 200, 300], heard: { 0: [0, 1, 2] } });
  return judge([speaker, ...others], TIMES);
}

const clean = { lost: 0, twice: 0, disorder: 0 };

/** What came of those who were whole, but for how much it was. */
function whole(figures) {
  const { people, heard, ...rest } = figures.whole;
  return rest;
}

test("who hears everything has lost nothing", () => {
  assert.deepEqual(whole(figures(person(1, { heard: { 0: [0, 1, 2] } }))), clean);
});

test("a message that somebody else has heard is lost", () => {
  assert.deepEqual(whole(figures(person(1, { heard: { 0: [0, 2] } }))), { ...clean, lost: 1 });
  assert.deepEqual(whole(figures(person(1, {}))), { ...clean, lost: 3 });
});

test("a message that comes twice, or too late, is counted", () => {
  assert.deepEqual(whole(figures(person(1, { heard: { 0: [0, 1, 1, 2] } }))), { ...clean, twice: 1 });
  assert.deepEqual(whole(figures(person(1, { heard: { 0: [0, 2, 1] } }))), { ...clean, disorder: 1 });
});

test("what nobody has heard was swallowed, unless its speaker's connection broke right after", () => {
  const said = [100, 200];
  assert.equal(figures(person(1, { said, heard: { 0: [0, 1, 2], 1: [0] } })).swallowed, 1);
  const broken = figures(person(1, { said, losses: [250], heard: { 0: [0, 1, 2], 1: [0] } }));
  assert.deepEqual([broken.swallowed, broken.unheard], [0, 1]);
});

test("who started afresh is apart, and ways back are counted by when they were begun and done", () => {
  const returns = [
    [500, 600, true, true],
    [900, 1_500, true, false],
    [1_600, 2_500, false, false],
    [2_100, 2_200, true, true],
  ];
  const { whole: all, afresh, before, during, afterwards } = figures(person(1, { returns }));
  assert.deepEqual([all.people, afresh.people, afresh.lost], [1, 1, 3]);
  assert.deepEqual(before, { recovered: 1, afresh: 0 });
  assert.deepEqual(during, { recovered: 1, afresh: 1 });
  assert.deepEqual(afterwards, { recovered: 1, afresh: 0 });
});
