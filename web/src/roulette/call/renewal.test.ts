import { expect, test } from "vitest";
import type { Signal } from "../contract";
import { renewal } from "./renewal";

function page() {
  const story: string[] = [];
  let names = 0;
  const line = renewal({
    send: (signal) => story.push(`send ${wordsOf(signal)}`),
    drop: () => story.push("drop"),
    begin: () => story.push("begin"),
    deliver: (signal) => story.push(`deliver ${wordsOf(signal)}`),
    newName: () => `n${(names += 1)}`,
  });
  return { story, ...line };
}

function wordsOf(signal: Signal): string {
  if ("renewal" in signal) return Object.entries(signal.renewal).flat().join(" ");
  return "description" in signal ? signal.description.sdp : (signal.candidate?.candidate ?? "end");
}

const asks = (name: string): Signal => ({ renewal: { asks: name } });
const answers = (name: string): Signal => ({ renewal: { answers: name } });

const OFFER: Signal = { description: { type: "offer", sdp: "offer" } };

test("signals are delivered while nothing is renewed", () => {
  const { story, receive } = page();
  receive(OFFER);
  receive({ candidate: null });
  expect(story).toEqual(["deliver offer", "deliver end"]);
});

test("the one who asks lets go, and begins with the answer; what comes before it is of another life", () => {
  const { story, ask, receive } = page();
  ask();
  receive(OFFER);
  receive(answers("n1"));
  receive(OFFER);
  expect(story).toEqual(["drop", "send asks n1", "begin", "deliver offer"]);
});

test("the one who is asked answers, lets go and begins", () => {
  const { story, receive } = page();
  receive(asks("x"));
  expect(story).toEqual(["send answers x", "drop", "begin"]);
});

test("when both ask each begins with the answer to its own question", () => {
  const { story, ask, receive } = page();
  ask();
  receive(asks("x"));
  receive(answers("n1"));
  expect(story).toEqual(["drop", "send asks n1", "send answers x", "begin"]);
});

test("answer to a question of an earlier life is no answer", () => {
  const { story, ask, receive } = page();
  ask();
  ask();
  receive(answers("n1"));
  receive(OFFER);
  receive(answers("n2"));
  expect(story).toEqual(["drop", "send asks n1", "drop", "send asks n2", "begin"]);
});
