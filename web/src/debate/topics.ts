// The topics on offer: a few suggestions, whatever other people wait on, and the person's own words.
import type { TopicState } from "./contract";

/** Longest topic in characters (Unicode scalar values). */
export const TOPIC_MAX = 120;

/** Statements one can be for or against without being against anybody. */
export const SUGGESTIONS: readonly string[] = [
  "A four-day week should be the norm",
  "Cities should be free of private cars",
  "Homework does more harm than good",
  "Voting should be compulsory",
  "Remote work beats the office",
  "AI will make us better thinkers",
];

/** How many topics one may name besides the first. */
export const OTHER_TOPICS_MAX = 5;

/** How many topics of other people the page lists at most. */
const OTHERS_MAX = 4;

/** A topic as it is sent: one line, single spaces, no control characters. Empty when nothing is left. */
export function cleanTopic(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, " ").trim();
}

/** Topics that other people brought and wait on now, busiest first. */
export function openTopics(lobby: readonly TopicState[]): TopicState[] {
  return lobby
    .filter((entry) => entry.waiting > 0 && !SUGGESTIONS.includes(entry.topic))
    .sort((a, b) => b.waiting - a.waiting || a.topic.localeCompare(b.topic))
    .slice(0, OTHERS_MAX);
}

/** How busy one topic is. */
export function busy(lobby: readonly TopicState[], topic: string): TopicState {
  return lobby.find((entry) => entry.topic === topic) ?? { topic, waiting: 0, debating: 0 };
}

/** How many others wait on a topic: the lobby counts the one who asks, too. */
export function othersOn(lobby: readonly TopicState[], topic: string): number {
  return Math.max(0, busy(lobby, topic).waiting - 1);
}

/** How busy the whole place is. */
export function total(lobby: readonly TopicState[]): { waiting: number; debating: number } {
  return {
    waiting: lobby.reduce((sum, entry) => sum + entry.waiting, 0),
    debating: lobby.reduce((sum, entry) => sum + entry.debating, 0),
  };
}
