// The contract of the namespace /roulette: what it adds to the events that both namespaces have.
import type { CommonWish, Events, Requests, RoomJoined } from "../shared/contract";

/** How two people meet. A call has no more than the lesser of two wishes; words alone meet words alone. */
export type Media = "video" | "audio" | "text";

export interface RouletteWish extends CommonWish {
  media: Media;
}

/** Who speaks first when a call is set up, and so gives way to nobody. */
export type Role = "offerer" | "answerer";

export interface IceServer {
  urls: string | string[];
  username?: string;
  credential?: string;
}

export interface RouletteRoom extends RoomJoined {
  media: Media;
  role: Role;
  iceServers: IceServer[];
}

export interface RouletteLobby {
  waiting: number;
  talking: number;
}

export interface Description {
  type: RTCSdpType;
  sdp: string;
}

/** A way to reach a page. */
export interface Candidate {
  candidate: string;
  sdpMid?: string | null;
  sdpMLineIndex?: number | null;
  usernameFragment?: string | null;
}

/** What one connection tells the other. A candidate of null says that there are no more. */
export type ConnectionSignal = { description: Description } | { candidate: Candidate | null };

/** A connection is given up for a new one: the question, and the answer to the question of that name. */
export type Renewal = { asks: string } | { answers: string };

/** What one page tells the other to set up a call. */
export type Signal = ConnectionSignal | { renewal: Renewal };

/** What a person shows and lets hear right now. */
export interface MediaState {
  camera: boolean;
  microphone: boolean;
}

/** How a call goes, for the statistics of the server. That it is over the server knows: its room is. */
export type CallReport =
  | { phase: "started" }
  /** `setupMs` is 0 to 120,000. */
  | { phase: "connected"; setupMs: number; relayed: boolean }
  | { phase: "failed"; reason: "ice" | "media_denied" | "no_device" | "timeout" | "other" };

/** The roulette, as the shared parts of the page see it. */
export interface Roulette {
  wish: RouletteWish;
  room: RouletteRoom;
  lobby: RouletteLobby;
}

export interface RouletteRequests extends Requests<Roulette> {
  signal: { takes: Signal & { room: string }; gives: object };
  "media:state": { takes: MediaState & { room: string }; gives: object };
  "call:report": { takes: CallReport & { room: string }; gives: object };
}

export interface RouletteEvents extends Events<Roulette> {
  signal: Signal;
  "media:state": MediaState;
}
