// The contract of the namespace /debate: what it adds to the events that both namespaces have.
import type { CommonWish, RoomJoined } from "../shared/contract";

/** The two sides a debate has. */
export type Side = "for" | "against";

/** The side a person asks for; `any` lets the server choose. */
export type SideWish = Side | "any";

/** What a person wants to debate. A topic is 1 to 120 characters on one line. */
export interface DebateWish extends CommonWish {
  topic: string;
  side: SideWish;
  /** Topics that would do as well after a while, at most 5. */
  otherTopics?: string[];
  /** After a while any topic would do. */
  anyTopic?: boolean;
}

export interface DebateRoom extends RoomJoined {
  topic: string;
  side: Side;
  partnerSide: Side;
}

/** How busy one topic is: people who wait for a partner, and people in a debate. */
export interface TopicState {
  topic: string;
  waiting: number;
  debating: number;
}

export interface DebateLobby {
  /** The server's catalogue, in its order. */
  topics: TopicState[];
  /** Topics that people brought, the busiest first. */
  others: TopicState[];
  /** People may bring topics of their own. */
  ownTopics: boolean;
}

/** The debate, as the shared parts of the page see it. */
export interface Debate {
  wish: DebateWish;
  room: DebateRoom;
  lobby: DebateLobby;
}
