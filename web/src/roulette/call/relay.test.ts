import { expect, test } from "vitest";
import { isRelayed } from "./relay";

const HOST = { id: "h", type: "local-candidate", candidateType: "host" };
const RELAY = { id: "r", type: "local-candidate", candidateType: "relay" };
const THEIRS = { id: "t", type: "remote-candidate", candidateType: "srflx" };
const DIRECT = { id: "p1", type: "candidate-pair", localCandidateId: "h", remoteCandidateId: "t", state: "succeeded" };
const RELAYED = { ...DIRECT, id: "p2", localCandidateId: "r" };
const ALL = [HOST, RELAY, THEIRS, DIRECT, RELAYED];

test("pair that the transport names counts", () => {
  expect(isRelayed([...ALL, { id: "x", type: "transport", selectedCandidatePairId: "p1" }])).toBe(false);
  expect(isRelayed([...ALL, { id: "x", type: "transport", selectedCandidatePairId: "p2" }])).toBe(true);
});

test("partner's relay counts as well", () => {
  const theirs = { ...THEIRS, candidateType: "relay" };
  expect(isRelayed([HOST, theirs, DIRECT, { id: "x", type: "transport", selectedCandidatePairId: "p1" }])).toBe(true);
});

test("where the transport names none, the nominated pair counts", () => {
  expect(isRelayed([HOST, RELAY, THEIRS, DIRECT, { ...RELAYED, nominated: true }])).toBe(true);
  expect(isRelayed([HOST, RELAY, THEIRS, { ...DIRECT, nominated: true }, RELAYED])).toBe(false);
});

test("nothing known is not relayed", () => {
  expect(isRelayed([])).toBe(false);
});
