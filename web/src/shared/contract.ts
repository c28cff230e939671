// What the two namespaces have in common: every event in both directions, with its payload and its answer. What a page
// adds stands in its own contract. Types only; the limits of a request stand beside the type that has them.

/** A request that was not granted. `code` is stable and for programs, `message` is for people. */
export interface Refusal {
  code: string;
  message: string;
}

/** Every request is answered with one of these. */
export type Reply<T = object> = ({ ok: true } & T) | { ok: false; error: Refusal };

/** What a wish can say on both pages. */
export interface CommonWish {
  /** At most 5, each of 1 to 24 of A-Z, a-z and 0-9. */
  tags?: string[];
  /** An ISO 639 code, `en`. */
  language?: string;
  /** With `language`, only people who chose the same one. */
  requires?: { language?: boolean };
}

/** Who wrote a message, as the receiver sees it. */
export type Author = "you" | "partner";

/** One message of a room; `seq` counts from 1. Times are milliseconds since the epoch, by the server's clock. */
export interface Message {
  seq: number;
  text: string;
  from: Author;
  at: number;
}

/** Two people were paired, or (`resumed`) one of them came back to the room within the grace period. */
export interface RoomJoined {
  room: string;
  queue: string;
  /** `waiting` until both are known to be there. */
  state: "waiting" | "active";
  startedAt: number;
  /** When the server ends the room. */
  endsAt: number;
  resumed: boolean;
  /** The last messages, oldest first. */
  history: Message[];
  /** The tags that both named. */
  tags: string[];
  /** The language that both named. */
  language?: string;
}

/** Why the server ended a room. */
export type RoomEnd = "time" | "left" | "partner_gone" | "reported" | "drain" | "operator";

/** What follows on the end: already in the queue again, a partner for the asking, or nothing. */
export type Next = "waiting" | "offered" | "none";

/** What a partner is reported for. */
export type ReportReason = "abuse" | "spam" | "sexual" | "minor" | "other";

/** A place in the queue: how many others wait, and how long it usually takes, if that is known. */
export interface Place {
  queue: string;
  waiting: number;
  estimatedWaitMs: number | null;
}

/** Why the server is about to end the socket, which is not about the room: too many events, an operator, ... */
export interface SocketEnded {
  code: string;
  message: string;
  /** Whether connecting again may fare better. */
  retry: boolean;
}

/** What differs from page to page. */
export interface App {
  wish: CommonWish;
  room: RoomJoined;
  lobby: unknown;
}

/** The requests: what each takes and what its answer adds. A room's requests name it, so that none hits a later one. */
export interface Requests<A extends App> {
  /** The token of the guest that the server has named; `expiresAt` is milliseconds since the epoch. */
  "token:guest": { takes: undefined; gives: { user: string; token: string; expiresAt: number } };
  /** The same wish again keeps its place. */
  "queue:join": { takes: A["wish"]; gives: Place };
  "queue:leave": { takes: undefined; gives: object };
  /** `text` is 1 to 500 characters after trimming. */
  "room:message": { takes: { text: string; room: string }; gives: { seq: number; at: number } };
  "room:typing": { takes: { typing: boolean; room: string }; gives: object };
  "room:leave": { takes: { room: string }; gives: object };
  /** Leaves the room, or one that is over, and waits again with the last wish. */
  "room:next": { takes: { room?: string }; gives: Place };
  /** Ends the room; the two are never paired again. `text` is at most 500 characters. */
  "room:report": { takes: { reason: ReportReason; text?: string; room: string }; gives: { report: string } };
  /** Blocks the partner, or the last one, for good; a room that lives ends. */
  "user:block": { takes: { room: string }; gives: object };
  /** Once for each room, also after its end. `rating` is 1 to 5. */
  "room:feedback": { takes: { rating: number; text?: string; room: string }; gives: object };
}

/** What the server sends. */
export interface Events<A extends App> {
  "socket:ended": SocketEnded;
  "lobby:state": A["lobby"];
  /** There is still a ticket of this person, or there is one again. `since` is milliseconds since the epoch. */
  "queue:waiting": { queue: string; since: number; estimatedWaitMs: number | null };
  "room:joined": A["room"];
  "room:active": { room: string };
  "room:warning": { room: string; endsAt: number; remainingMs: number };
  "room:message": Message & { room: string };
  "room:typing": { typing: boolean };
  "room:ended": { room: string; reason: RoomEnd; next: Next };
  "partner:away": { until?: number };
  "partner:back": object;
}
