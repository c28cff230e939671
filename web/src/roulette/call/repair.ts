// When a call that does not connect, or does no more, is helped along: pure decisions over what has happened to it.

import type { Role } from "../contract";

/** How often in a row new ways are sought before the person has to say. */
export const TRIES_MAX = 3;

/** How long a connection may be interrupted before new ways are sought: most interruptions are over by then. */
export const PATIENCE_MS = 2_500;

/** How much longer the answerer waits: both see the same interruption, and one offer is enough. */
export const DEFERENCE_MS = 2_000;

/** How long a connection may take from its beginning. */
export const SETUP_MS = 25_000;

/** What to do about a connection: nothing, seek new ways for it now or after a while, or give up. */
export type Repair = { do: "nothing" } | { do: "restart"; afterMs: number } | { do: "give_up" };

interface Trouble {
  role: Role;
  state: RTCPeerConnectionState;
  /** How often new ways have been sought since it was connected. */
  tries: number;
  /** New ways are agreed on with the partner's page, which is not there. */
  partner: "here" | "away";
}

export function repair({ role, state, tries, partner }: Trouble): Repair {
  const troubled = state === "disconnected" || state === "failed";
  // When the partner is back the call is looked at again.
  if (!troubled || partner === "away") return { do: "nothing" };
  if (tries >= TRIES_MAX) return state === "failed" ? { do: "give_up" } : { do: "nothing" };
  const patienceMs = state === "failed" ? 0 : PATIENCE_MS;
  return { do: "restart", afterMs: patienceMs + (role === "answerer" ? DEFERENCE_MS : 0) };
}
