// When to tell the partner that one writes: at once, then now and again while it goes on, and when it stops.

/** How often a writer is announced while the writing goes on; less than the partner's page waits for the next word. */
const AGAIN_MS = 3_000;

/** After how long without a key it has stopped. */
const STOPPED_MS = 4_000;

/** What was last told, and when; `until` is when silence means that the writing has stopped. */
export type Pace = { name: "silent" } | { name: "writing"; toldAt: number; until: number };

export const SILENT: Pace = { name: "silent" };

/** The pace after a change of the text at `now`, and what to tell: null for nothing. */
export function typed(pace: Pace, text: string, now: number): { pace: Pace; tell: boolean | null } {
  if (text === "") return stopped(pace);
  const until = now + STOPPED_MS;
  if (pace.name === "writing" && now - pace.toldAt < AGAIN_MS) return { pace: { ...pace, until }, tell: null };
  return { pace: { name: "writing", toldAt: now, until }, tell: true };
}

/** The pace once nothing is written any more. */
export function stopped(pace: Pace): { pace: Pace; tell: boolean | null } {
  return { pace: SILENT, tell: pace.name === "writing" ? false : null };
}
