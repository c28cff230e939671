import { expect, test } from "vitest";
import type { CallReport } from "../contract";
import { reportsInOrder } from "./reports";

const STARTED: CallReport = { phase: "started" };
const CONNECTED: CallReport = { phase: "connected", setupMs: 5, relayed: false };
const FAILED: CallReport = { phase: "failed", reason: "ice" };

test.each([
  ["call that went well", [STARTED, CONNECTED], ["started", "connected"]],
  ["renewed before it connected", [STARTED, STARTED, CONNECTED], ["started", "connected"]],
  ["connected again after an interruption", [STARTED, CONNECTED, STARTED, CONNECTED], ["started", "connected"]],
  ["failed twice over", [STARTED, FAILED, FAILED], ["started", "failed"]],
  ["failed, then renewed", [STARTED, FAILED, STARTED, CONNECTED], ["started", "failed", "started", "connected"]],
  ["lost for good", [STARTED, CONNECTED, FAILED], ["started", "connected", "failed"]],
  ["nothing before the start", [CONNECTED, FAILED, STARTED], ["started"]],
] as const)("%s", (_, reports, expected) => {
  const sent: string[] = [];
  const report = reportsInOrder(({ phase }) => sent.push(phase));
  for (const each of reports) report(each);
  expect(sent).toEqual(expected);
});
