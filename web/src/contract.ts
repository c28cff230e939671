// The contract of the namespace /debate: every event in both directions, with its payload and its acknowledgement.
// It holds types only; the limits a request must keep stand beside the type that has them.

/** The two sides a debate has. */
export type Side = "for" | "against";

/** The side a person asks for; `any` lets the server choose. */
export type SideWish = Side | "any";

/** What a person wants to debate. `topic` is 1 to 120 characters on one line. */
export interface Wish {
  topic: string;
  side: SideWish;
}

/** Every request is acknowledged with one of these. `code` is stable and for programs, `message` is for people. */
export type Reply<T = object> = ({ ok: true } & T) | { ok: false; error: { code: string; message: string } };

type Ack<T = object> = (reply: Reply<T>) => void;

/** Who wrote a message, as the receiver sees it. */
export type Author = "you" | "partner";

/** One message of a room. `at` is milliseconds since the epoch, by the server's clock. */
export interface Message {
  text: string;
  from: Author;
  at: number;
}

/** Two people were paired, or (`resumed`) one of them came back to the room within the grace period. */
export interface RoomJoined {
  room: string;
  topic: string;
  side: Side;
  /** Milliseconds since the epoch at which the server ends the room. */
  endsAt: number;
  resumed?: boolean;
  /** With `resumed`: the last messages, oldest first. */
  history?: Message[];
}

/** Why the server ended a room: the time was up, someone left, the partner never came back, the node is stopping. */
export type RoomEnd = "time" | "left" | "partner_gone" | "drain";

/** How busy one topic is: people who wait for a partner, and people in a debate. */
export interface TopicState {
  topic: string;
  waiting: number;
  debating: number;
}

/** Why the server is about to end the socket, which is not about the debate: too many events, an operator, ... */
export interface SocketEnded {
  code: string;
  message: string;
  /** Whether connecting again may fare better. */
  retry: boolean;
}

/** What the server sends. */
export interface ServerEvents {
  "socket:ended": (end: SocketEnded) => void;
  "lobby:state": (lobby: { topics: TopicState[] }) => void;
  "room:joined": (room: RoomJoined) => void;
  "room:message": (message: Message) => void;
  "room:ended": (end: { reason: RoomEnd }) => void;
  "partner:away": () => void;
  "partner:back": () => void;
}

/** What the page sends. `room:message` takes 1 to 500 characters after trimming. */
export interface ClientEvents {
  /** Asks for the token of the guest that the server has named; `expiresAt` is milliseconds since the epoch. */
  "token:guest": (ack: Ack<{ user: string; token: string; expiresAt: number }>) => void;
  /** `waiting` is how many others wait on the topic. */
  "queue:join": (wish: Wish, ack: Ack<{ waiting: number }>) => void;
  "queue:leave": (ack: Ack) => void;
  "room:message": (message: { text: string }, ack: Ack) => void;
  "room:leave": (ack: Ack) => void;
}

/** The side across the table. */
export function opposite(side: Side): Side {
  return side === "for" ? "against" : "for";
}
