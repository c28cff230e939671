// What the page says: counts, times, sides and endings in plain English. Pure functions of values, no markup.
import type { Side, SideWish } from "./contract";
import type { Ending, State } from "./state";

/** `1 person`, `2 people`. */
export function people(count: number): string {
  return count === 1 ? "1 person" : `${count} people`;
}

/** Minutes and seconds: `0:07`, `12:30`. Whole seconds, never negative. */
export function minutes(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function sideName(side: SideWish): string {
  return { for: "For", against: "Against", any: "Either side" }[side];
}

/** What a side does, to follow "You": `argue for it`. */
export function sideVerb(side: Side): string {
  return side === "for" ? "argue for it" : "argue against it";
}

/** How many others wait on the topic, as the waiting person reads it. */
export function company(others: number | null): string {
  if (others === null) return "Taking your seat…";
  if (others === 0) return "You are the first one here on this topic.";
  return others === 1 ? "1 other person waits on this topic." : `${others} other people wait on this topic.`;
}

/** A heading and a sentence for each way a debate ends. */
export function endingWords(ending: Ending): { title: string; text: string } {
  switch (ending) {
    case "time":
      return { title: "Time is up", text: "You both stayed to the end. That is how it is done." };
    case "you_left":
      return { title: "You left the debate", text: "Your partner was told that you had to go." };
    case "left":
      return { title: "Your partner left", text: "They said goodbye a little early. It happens." };
    case "partner_gone":
      return { title: "Your partner is gone", text: "Their connection was lost, and it did not come back in time." };
    case "drain":
      return { title: "This server is closing", text: "The debate had to stop here. Start again and you reach another one." };
    case "lost":
      return { title: "This debate is over", text: "It ended while you were disconnected." };
  }
}

/** What the title of the tab says; `unread` counts messages that came while the tab was hidden. */
export function tabTitle(state: State, unread: number): string {
  const badge = unread > 0 ? `(${unread}) ` : "";
  switch (state.stage.name) {
    case "choosing":
      return "Throng: disagree well";
    case "waiting":
      return "Waiting for a partner · Throng";
    case "returning":
      return "Returning · Throng";
    case "talking":
      return `${badge}${state.stage.topic} · Throng`;
    case "ended":
      return `${endingWords(state.stage.ending).title} · Throng`;
  }
}
