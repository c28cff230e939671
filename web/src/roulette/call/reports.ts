// What the server is told of a call, each thing once and in order: it started, then it connected or failed, then it ended.
import type { CallReport } from "../contract";

type Phase = CallReport["phase"];

const AFTER: Record<Phase, readonly (Phase | null)[]> = {
  started: [null],
  connected: ["started"],
  failed: ["started"],
  ended: ["connected"],
};

/** A gate that lets a report through only when it is next. */
export function reportsInOrder(send: (report: CallReport) => void): (report: CallReport) => void {
  let last: Phase | null = null;
  return (report) => {
    if (!AFTER[report.phase].includes(last)) return;
    last = report.phase;
    send(report);
  };
}
