// What a tab keeps over a reload: the wish and how far the visit had come. The debate itself is the server's to keep.
import type { SideWish, Wish } from "./contract";
import type { Stage, State } from "./state";
import { read, write } from "./tab";
import { SUGGESTIONS } from "./topics";

const STORED = "throng.visit";

/** The stages that go on after a reload, and since when (milliseconds since the epoch). */
interface Visit {
  wish: Wish;
  stage: "waiting" | "talking" | null;
  since: number;
}

/** The state a page starts with, from what {@link remember} stored, or from nothing. */
export function recall(stored: string | null): State {
  const visit = parse(stored);
  const wish = visit?.wish ?? { topic: SUGGESTIONS[0] ?? "", side: "any" };
  return { link: { name: "connecting" }, lobby: [], wish, stage: stageOf(visit) };
}

/** What to store for {@link recall}. */
export function remember({ wish, stage }: State): string {
  return JSON.stringify({ wish, ...progress(stage) } satisfies Visit);
}

function progress(stage: Stage): Omit<Visit, "wish"> {
  switch (stage.name) {
    case "waiting":
      return { stage: "waiting", since: stage.since };
    case "returning":
    case "talking":
      return { stage: "talking", since: stage.startedAt };
    case "choosing":
    case "ended":
      return { stage: null, since: 0 };
  }
}

export function load(): State {
  return recall(read(STORED));
}

export function save(state: State): void {
  write(STORED, remember(state));
}

function stageOf(visit: Visit | null): Stage {
  if (visit?.stage === "waiting") return { name: "waiting", since: visit.since, others: null };
  if (visit?.stage === "talking") return { name: "returning", startedAt: visit.since };
  return { name: "choosing", refusal: null };
}

// Another version of the page may have written it: anything unexpected counts as nothing.
function parse(stored: string | null): Visit | null {
  try {
    const visit: unknown = JSON.parse(stored ?? "null");
    return isVisit(visit) ? visit : null;
  } catch {
    return null;
  }
}

function isVisit(value: unknown): value is Visit {
  if (typeof value !== "object" || value === null) return false;
  const { wish, stage, since } = value as Partial<Visit>;
  const sides: SideWish[] = ["for", "against", "any"];
  return (
    typeof wish?.topic === "string" &&
    sides.includes(wish.side) &&
    (stage === null || stage === "waiting" || stage === "talking") &&
    typeof since === "number"
  );
}
