// That what is doubled or lost is found, and nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, metOnAll } from "./meetings.mjs";

const TIMES = { struckAt: 1_000, overAt: 1_500, normalAt: 2_000, finishedAt: 60_000, lostMs: 58_000 };

const joined = (at, room) => ({ at, what: "joined", room });
const active = (at, room) => ({ at, what: "active", room });
const ended = (at, room, reason = "left") => ({ at, what: "ended", room, reason });
const asked = (sentAt, event, room, code = "ok") => ({ at: sentAt + 1, what: "asked", event, room, sentAt, code });

/** What is found of people by their logs, in short. */
function found(...logs) {
  const { doubled, lost, endedByFault } = judge(logs.map((log, at) => ({ name: `${at}`, log })), TIMES);
  return { doubled: doubled.map(({ kind }) => kind), lost: lost.map(({ kind }) => kind), endedByFault };
}

const NOTHING = { doubled: [], lost: [], endedByFault: [] };

/** A meeting that goes well, for the one who leaves and the other. */
const well = (at, room) => [
  [joined(at, room), active(at + 1, room), asked(at + 2, "room:leave", room)],
  [joined(at, room), active(at + 1, room), ended(at + 3, room)],
];

test("who meets one after the other is counted for nothing", () => {
  const [one, other] = well(100, "a");
  const [again, last] = well(3_000, "b");
  assert.deepEqual(found([...one, ...last], [...other, ...again]), NOTHING);
});

test("another room before the last one has ended is one too many", () => {
  const [one, other] = well(100, "a");
  assert.deepEqual(found([joined(100, "a"), joined(101, "b")], other, one.slice(0, 2)).doubled, ["told of another", "a third"]);
  assert.deepEqual(found([joined(100, "a"), { at: 101, what: "over", room: "a" }, joined(102, "b")], other).doubled, []);
});

test("a room in which something is still done when a member has another is one too many", () => {
  const moved = [joined(100, "a"), ended(150, "a"), joined(200, "b")];
  const stays = (sentAt) => [joined(100, "a"), asked(sentAt, "room:message", "a")];
  assert.deepEqual(found(moved, stays(199)).doubled, []);
  assert.deepEqual(found(moved, stays(201)).doubled, ["in both"]);
});

test("a room that comes back after another is none too many, unless both are there", () => {
  const back = [joined(100, "a"), ended(150, "a"), joined(200, "b"), ended(300, "b"), joined(301, "a"), asked(310, "room:message", "a")];
  assert.deepEqual(found(back).doubled, []);
  assert.equal(judge([{ name: "0", log: back }], TIMES).cameBack, 1);
  assert.deepEqual(found(back, [joined(200, "b"), asked(302, "room:message", "b")]).doubled, ["in both"]);
});

test("when another reads of a room says nothing about the order of one's own", () => {
  const back = [joined(100, "a"), ended(150, "a"), joined(205, "a"), ended(205, "a"), joined(205, "b")];
  assert.deepEqual(found(back, [joined(200, "b"), asked(300, "room:message", "b")]).doubled, []);
});

test("a meeting of which one was never told is lost, unless it never began", () => {
  const [, other] = well(3_000, "a");
  assert.deepEqual(found(other, [joined(3_000, "b"), ended(3_001, "b")]).lost, ["one never told"]);
});

test("who meets nobody for too long is lost", () => {
  const [one, other] = well(100, "a");
  const late = { ...TIMES, lostMs: 1_000 };
  const { lost } = judge([{ name: "0", log: one }, { name: "1", log: other }], { ...late, finishedAt: 3_001 });
  assert.deepEqual(lost, [{ kind: "met nobody", name: "0", at: 2_000 }, { kind: "met nobody", name: "1", at: 2_000 }]);
});

test("all is normal when somebody has met somebody new on each node", () => {
  const told = (at, room, node) => ({ ...joined(at, room), node });
  const people = [{ log: [told(100, "a", 0), told(300, "b", 0)] }, { log: [told(350, "b", 0), told(500, "c", 1)] }];
  assert.equal(metOnAll([0], people, 200), 300);
  assert.equal(metOnAll([0, 1], people, 200), 500);
  assert.equal(metOnAll([0, 1], people, 400), Infinity);
});

test("a room that nobody left ended by the fault", () => {
  const gone = [joined(100, "a"), ended(1_500, "a", "partner_gone")];
  assert.deepEqual(found(gone, [joined(100, "a")]).endedByFault, ["a"]);
  assert.deepEqual(found(gone, [joined(100, "a"), asked(1_400, "room:leave", "a", "none")]).endedByFault, []);
});
