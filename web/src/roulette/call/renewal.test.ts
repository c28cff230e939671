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
  return "description" in signal ? signal.description.sdp : (signal.candidate?.candidate ?? "end");
}

function word(candidate: string): Signal {
  return { candidate: { candidate } };
}

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
  receive(word("renewed n1"));
  receive(OFFER);
  expect(story).toEqual(["drop", "send renew n1", "begin", "deliver offer"]);
});

test("the one who is asked answers, lets go and begins", () => {
  const { story, receive } = page();
  receive(word("renew x"));
  expect(story).toEqual(["send renewed x", "drop", "begin"]);
});

test("when both ask each begins with the answer to its own question", () => {
  const { story, ask, receive } = page();
  ask();
  receive(word("renew x"));
  receive(word("renewed n1"));
  expect(story).toEqual(["drop", "send renew n1", "send renewed x", "begin"]);
});

test("answer to a question of an earlier life is no answer", () => {
  const { story, ask, receive } = page();
  ask();
  ask();
  receive(word("renewed n1"));
  receive(OFFER);
  receive(word("renewed n2"));
  expect(story).toEqual(["drop", "send renew n1", "drop", "send renew n2", "begin"]);
});

test("candidate that is no word of renewal goes to the connection", () => {
  const { story, receive } = page();
  receive(word(""));
  receive(word("candidate:1 1 udp"));
  expect(story).toEqual(["deliver ", "deliver candidate:1 1 udp"]);
});
