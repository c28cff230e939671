// What a tab keeps over a reload: the wish and how far the visit had come. The conversation itself is the server's to keep.
import type { App } from "./contract";
import { read, write } from "./tab";
import type { Stage, Visit } from "./visit";

/** What a page needs to know about its own wishes. */
export interface Wishes<Wish> {
  /** Where to keep the visit, one name for each page. */
  stored: string;
  first: Wish;
  /** Whether this is a wish that this version of the page could have made. */
  isWish(value: unknown): value is Wish;
}

/** The stages that go on after a reload, and since when. */
type Progress =
  | { stage: "waiting"; since: number }
  | { stage: "talking"; since: number; room: string }
  | { stage: "elsewhere" };

/** The visit a page starts with, from what {@link remember} made, or from nothing. */
export function recall<A extends App>(stored: string | null, { first, isWish }: Wishes<A["wish"]>): Visit<A> {
  const kept = parse(stored);
  const known = isWish(kept?.wish);
  return {
    link: { name: "connecting" },
    lobby: null,
    wish: known ? kept?.wish as A["wish"] : first,
    stage: stageOf<A>(known ? kept?.progress : undefined),
  };
}

/** What to store for {@link recall}. */
export function remember<A extends App>({ wish, stage }: Visit<A>): string {
  return JSON.stringify({ wish, progress: progress(stage) });
}

/** The visit that this tab kept. */
export function load<A extends App>(wishes: Wishes<A["wish"]>): Visit<A> {
  return recall<A>(read(wishes.stored), wishes);
}

/** Keeps the visit for the next load. */
export function save<A extends App>(visit: Visit<A>, { stored }: Wishes<A["wish"]>): void {
  write(stored, remember(visit));
}

function progress<A extends App>(stage: Stage<A>): Progress {
  switch (stage.name) {
    case "waiting":
      return { stage: "waiting", since: stage.since };
    case "returning":
      return { stage: "talking", since: stage.startedAt, room: stage.room };
    case "talking":
      return { stage: "talking", since: stage.startedAt, room: stage.id };
    case "choosing":
    case "ended":
      return { stage: "elsewhere" };
  }
}

// Another version of the page may have written it: anything unexpected counts as nothing.
function stageOf<A extends App>(progress: unknown): Stage<A> {
  const { stage, since, room } = (progress ?? {}) as Partial<Record<"stage" | "since" | "room", unknown>>;
  if (stage === "waiting" && typeof since === "number") {
    return { name: "waiting", since, again: false, others: null, estimatedWaitMs: null };
  }
  if (stage === "talking" && typeof since === "number" && typeof room === "string") {
    return { name: "returning", room, startedAt: since };
  }
  return { name: "choosing", refusal: null };
}

function parse(stored: string | null): { wish?: unknown; progress?: unknown } | null {
  try {
    const kept: unknown = JSON.parse(stored ?? "null");
    return typeof kept === "object" ? kept : null;
  } catch {
    return null;
  }
}
