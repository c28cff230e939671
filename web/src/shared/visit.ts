// What a page knows: the link to the server, the lobby, the person's wish, and the stage of the visit. One closed union for
// each question, so that a view can only show what is true. How it changes is reducer.ts.
// Times are milliseconds since the epoch, by the clock of this machine.
import type { App, Message, Next, Refusal, RoomEnd } from "./contract";

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
  | { name: "closed"; why: string | null };

/** How this person parts from the room: asked of the server, and done when it agrees. */
export type Parting = "leave" | "next" | "report" | "block";

/** Why a conversation is over, as this person sees it. */
export type Ending = RoomEnd | "you_left" | "you_reported" | "you_blocked" | "lost";

/** A conversation under way, in the room that the server described with `room`. */
export interface Talk<Room> {
  id: string;
  room: Room;
  startedAt: number;
  endsAt: number;
  /** Both are known to be there. */
  active: boolean;
  messages: Message[];
  /** `back` is here again. */
  partner: "here" | "away" | "back";
  /** The partner writes something right now. */
  typing: boolean;
  /** How much time was left when the server said that the end is near, in milliseconds; null before. */
  warned: number | null;
  parting: Parting | null;
}

/** What a person can still say about a conversation that is over. */
export interface Afterwards {
  rating: number | null;
  blocked: boolean;
  /** The server does not know of it any more, and takes nothing that is said about it. */
  forgotten: boolean;
}

/** What waiting looks like, once the server has accepted the wish. */
export interface Prospect {
  /** How many others wait; null when nobody has said so yet. */
  others: number | null;
  /** How long it usually takes; null when the server does not know. */
  estimatedWaitMs: number | null;
}

export type Stage<A extends App> =
  | { name: "choosing"; refusal: Refusal | null }
  /** `again`: a partner was found and lost before the conversation began. */
  | ({ name: "waiting"; since: number; again: boolean } & Prospect)
  /** The page was reloaded during a conversation and waits for the server to hand it back. */
  | { name: "returning"; room: string; startedAt: number }
  | ({ name: "talking" } & Talk<A["room"]>)
  | { name: "ended"; ending: Ending; next: Next; talk: Talk<A["room"]> | null; endedAt: number; after: Afterwards };

export type StageName = Stage<App>["name"];
export type Waiting = Extract<Stage<App>, { name: "waiting" }>;
export type Ended<A extends App> = Extract<Stage<A>, { name: "ended" }>;

export interface Visit<A extends App> {
  link: Link;
  lobby: A["lobby"] | null;
  wish: A["wish"];
  stage: Stage<A>;
}

/** Everything that can happen to a visit; `now` is when. */
export type Happening<A extends App> =
  | { type: "link:up" }
  | { type: "link:down" }
  | { type: "link:attempt"; attempt: number }
  | { type: "link:closed"; why: string | null }
  | { type: "link:settled" }
  | { type: "lobby:state"; lobby: A["lobby"] }
  | { type: "wish:made"; wish: A["wish"]; now: number }
  | { type: "wish:accepted"; waiting: number; estimatedWaitMs: number | null }
  | { type: "wish:refused"; refusal: Refusal }
  | { type: "wish:withdrawn" }
  | { type: "queue:waiting"; since: number; estimatedWaitMs: number | null }
  | { type: "room:joined"; room: A["room"]; now: number }
  | { type: "room:active"; room: string }
  | { type: "room:warning"; room: string; remainingMs: number; now: number }
  | { type: "room:message"; message: Message }
  | { type: "room:typing"; typing: boolean }
  | { type: "room:parting"; parting: Parting }
  /** The server did not agree to part. */
  | { type: "room:staying" }
  | { type: "room:ended"; room: string; reason: RoomEnd; next: Next; now: number }
  /** The room does not live any more. */
  | { type: "room:lost"; now: number }
  /** The server does not even know that it did. */
  | { type: "room:forgotten" }
  | { type: "partner:away" }
  | { type: "partner:back" }
  | { type: "rated"; rating: number }
  | { type: "blocked" }
  | { type: "choose:again" };

/** True while requests can be sent and are answered. */
export function isConnected(link: Link): boolean {
  return link.name === "online" || link.name === "restored";
}
