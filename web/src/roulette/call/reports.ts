// What the server is told of a call, each thing once and in order: it started, it connected, it failed and started again.
import type { CallReport } from "../contract";

type Phase = CallReport["phase"];

/** After what each thing may be said; null is the beginning. */
const AFTER: Record<Phase, readonly (Phase | null)[]> = {
  started: [null, "failed"],
  connected: ["started"],
  failed: ["started", "connected"],
};

/** A gate that lets a report through only when it is news. */
export function reportsInOrder(send: (report: CallReport) => void): (report: CallReport) => void {
  let last: Phase | null = null;
  return (report) => {
    if (!AFTER[report.phase].includes(last)) return;
    last = report.phase;
    send(report);
  };
}
