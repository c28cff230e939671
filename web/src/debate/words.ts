// What only the debate page says.
import type { Visit } from "../shared/visit";
import { endingWords } from "../shared/words";
import type { Debate } from "./contract";

export const NOUN = "debate";

/** How many others wait on the topic, as the waiting person reads it. */
export function company(others: number | null): string {
  if (others === null) return "Taking your seat…";
  if (others === 0) return "You are the first one here on this topic.";
  return others === 1 ? "1 other person waits on this topic." : `${others} other people wait on this topic.`;
}

/** What the title of the tab says; `unread` counts messages that came while the tab was hidden. */
export function tabTitle({ stage }: Visit<Debate>, unread: number): string {
  const badge = unread > 0 ? `(${unread}) ` : "";
  switch (stage.name) {
    case "choosing":
      return "Throng: disagree well";
    case "waiting":
      return "Waiting for a partner · Throng";
    case "returning":
      return "Returning · Throng";
    case "talking":
      return `${badge}${stage.room.topic} · Throng`;
    case "ended":
      return `${endingWords(stage.ending, NOUN).title} · Throng`;
  }
}
