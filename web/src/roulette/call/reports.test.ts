import { expect, test } from "vitest";
import type { CallReport } from "../contract";
import { reportsInOrder } from "./reports";

const STARTED: CallReport = { phase: "started" };
const CONNECTED: CallReport = { phase: "connected", setupMs: 5, relayed: false };
const FAILED: CallReport = { phase: "failed", reason: "ice" };
const ENDED: CallReport = { phase: "ended" };

test.each([
  ["a call that went well", [STARTED, CONNECTED, ENDED], ["started", "connected", "ended"]],
  ["connecting again after an interruption", [STARTED, CONNECTED, CONNECTED, ENDED], ["started", "connected", "ended"]],
  ["a call that never connected", [STARTED, FAILED, ENDED], ["started", "failed"]],
  ["one that connects after all", [STARTED, FAILED, CONNECTED, ENDED], ["started", "failed"]],
  ["one that fails after it was connected", [STARTED, CONNECTED, FAILED, ENDED], ["started", "connected", "ended"]],
  ["nothing before the start", [CONNECTED, ENDED, STARTED], ["started"]],
] as const)("%s", (_, reports, expected) => {
  const sent: string[] = [];
  const report = reportsInOrder(({ phase }) => sent.push(phase));
  for (const each of reports) report(each);
  expect(sent).toEqual(expected);
});
