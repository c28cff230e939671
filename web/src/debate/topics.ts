// The topics on offer: the server's catalogue, whatever other people wait on, and, where the server allows it, the person's
// own words.
import type { DebateLobby, TopicState } from "./contract";

/** Longest topic in characters (Unicode scalar values). */
export const TOPIC_MAX = 120;

/** How many topics one may name besides the first. */
export const OTHER_TOPICS_MAX = 5;

/** How many topics of other people the page lists at most. */
const OTHERS_MAX = 4;

/** The choice that stands for the person's own words. */
export const OWN = "";

/** What is picked, and the words on the line for one's own topic. */
export interface Picked {
  /** A topic of the list, or {@link OWN}; null as long as nobody has picked anything. */
  topic: string | null;
  own: string;
}

/** A topic as it is sent: one line, single spaces, no control characters. Empty when nothing is left. */
export function cleanTopic(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, " ").trim();
}

/** Topics that other people brought and wait on now, busiest first. */
export function openTopics({ others }: DebateLobby): TopicState[] {
  return others
    .filter((entry) => entry.waiting > 0)
    .sort((a, b) => b.waiting - a.waiting || a.topic.localeCompare(b.topic))
    .slice(0, OTHERS_MAX);
}

/** Every topic that the page lists. */
export function listed(lobby: DebateLobby): string[] {
  return [...lobby.topics, ...openTopics(lobby)].map(({ topic }) => topic);
}

/**
 * What is picked once the list is known. The first topic to begin with. One that is not on the list, such as somebody
 * else's on which nobody waits any more, stays as one's own where there may be such.
 */
export function settle(picked: Picked, lobby: DebateLobby): Picked {
  const { topic, own } = picked;
  const choices = listed(lobby);
  if (topic === OWN ? lobby.ownTopics : topic !== null && choices.includes(topic)) return picked;
  if (topic !== null && topic !== OWN && lobby.ownTopics) return { topic: OWN, own: topic };
  const first = choices[0] ?? OWN;
  return topic === first ? picked : { topic: first, own };
}

/** How busy one topic is. */
export function busy({ topics, others }: DebateLobby, topic: string): TopicState {
  return [...topics, ...others].find((entry) => entry.topic === topic) ?? { topic, waiting: 0, debating: 0 };
}

/** How many others wait on a topic: the lobby counts the one who asks, too. */
export function othersOn(lobby: DebateLobby, topic: string): number {
  return Math.max(0, busy(lobby, topic).waiting - 1);
}

/** How busy the whole place is. */
export function total({ topics, others }: DebateLobby): { waiting: number; debating: number } {
  const all = [...topics, ...others];
  return {
    waiting: all.reduce((sum, entry) => sum + entry.waiting, 0),
    debating: all.reduce((sum, entry) => sum + entry.debating, 0),
  };
}
