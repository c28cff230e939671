// What the page knows: the link to the server, the lobby, the person's wish, and the stage of the visit.
// One closed union per question, so that a view can only show what is true. How it changes is reducer.ts.
import type { Message, RoomEnd, RoomJoined, Side, TopicState, Wish } from "./contract";

/** The connection as the person should see it. */
export type Link =
  | { name: "connecting" }
  | { name: "online" }
  /** Lost; `attempt` counts from 1, 0 until the first one starts. */
  | { name: "reconnecting"; attempt: number }
  /** Connected again, and waiting for the server to hand back the room. */
  | { name: "restoring" }
  /** Everything is back; shown briefly, then `online`. */
  | { name: "restored" }
  /** The server closed or refused the connection; only the person can start it again. */
  | { name: "closed"; why: string };

/** Why a debate is over, as this person sees it. */
export type Ending = RoomEnd | "you_left" | "lost";

/** A debate under way. Times are milliseconds since the epoch. */
export interface Talk {
  room: string;
  topic: string;
  side: Side;
  startedAt: number;
  endsAt: number;
  messages: Message[];
  partnerAway: boolean;
  /** The person asked to leave; the room ends when the server agrees. */
  leaving: boolean;
}

export type Stage =
  | { name: "choosing"; refusal: string | null }
  /** `others`: how many others wait on this topic; unknown until the server accepted the wish. */
  | { name: "waiting"; since: number; others: number | null }
  /** The page was reloaded during a debate and waits for the server to hand it back. */
  | { name: "returning"; startedAt: number }
  | ({ name: "talking" } & Talk)
  | { name: "ended"; ending: Ending; talk: Talk | null; endedAt: number };

export interface State {
  link: Link;
  lobby: TopicState[];
  wish: Wish;
  stage: Stage;
}

/** Everything that can happen to the page. Times are milliseconds since the epoch. */
export type Happening =
  | { type: "link:up" }
  | { type: "link:down" }
  | { type: "link:attempt"; attempt: number }
  | { type: "link:closed"; why: string }
  | { type: "link:settled" }
  | { type: "lobby:state"; topics: TopicState[] }
  | { type: "wish:made"; wish: Wish; now: number }
  | { type: "wish:accepted"; waiting: number }
  | { type: "wish:refused"; message: string }
  | { type: "wish:withdrawn" }
  | { type: "room:joined"; room: RoomJoined; now: number }
  | { type: "room:message"; message: Message }
  | { type: "room:leaving" }
  | { type: "room:staying" }
  | { type: "room:ended"; ending: Ending; now: number }
  | { type: "partner:away" }
  | { type: "partner:back" }
  | { type: "choose:again" };
