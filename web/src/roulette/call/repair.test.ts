import { expect, test } from "vitest";
import { DEFERENCE_MS, PATIENCE_MS, repair, TRIES_MAX } from "./repair";

test.each([
  ["connected call is left alone", "connected", 0, "here", { do: "nothing" }],
  ["call being set up is left alone", "connecting", 0, "here", { do: "nothing" }],
  ["short interruption is waited for", "disconnected", 0, "here", { do: "restart", afterMs: PATIENCE_MS }],
  ["failed one gets new ways at once", "failed", 0, "here", { do: "restart", afterMs: 0 }],
  ["nothing can be agreed on with nobody", "failed", 0, "away", { do: "nothing" }],
  ["last try", "failed", TRIES_MAX - 1, "here", { do: "restart", afterMs: 0 }],
  ["after that the person decides", "failed", TRIES_MAX, "here", { do: "give_up" }],
  ["one that may still come back is not given up", "disconnected", TRIES_MAX, "here", { do: "nothing" }],
] as const)("%s", (_, state, tries, partner, expected) => {
  expect(repair({ role: "offerer", state, tries, partner })).toEqual(expected);
});

test("answerer lets the offerer go first", () => {
  const trouble = { role: "answerer", tries: 0, partner: "here" } as const;
  expect(repair({ ...trouble, state: "failed" })).toEqual({ do: "restart", afterMs: DEFERENCE_MS });
  expect(repair({ ...trouble, state: "disconnected" })).toEqual({ do: "restart", afterMs: PATIENCE_MS + DEFERENCE_MS });
});
