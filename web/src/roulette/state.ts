// What the roulette page knows besides the visit: one's own devices, and the call. How it changes is reducer.ts.
import type { Happening as VisitHappening, Visit } from "../shared/visit";
import type { CallPhase } from "./call/call";
import type { MediaState, Roulette } from "./contract";
import type { DeviceRefusal, Wanted } from "./devices";

/** One's own camera and microphone. A camera that is off is let go, so that its light goes out. */
export interface Devices {
  camera: MediaStreamTrack | null;
  microphone: MediaStreamTrack | null;
  /** What the person wants, whenever there is a choice. */
  cameraOn: boolean;
  microphoneOn: boolean;
  /** The browser is being asked. */
  asking: boolean;
  refusal: { why: DeviceRefusal; wanted: Wanted } | null;
}

/** The call of the conversation under way. */
export interface CallState {
  /** Null without a call: no room, or one of words alone. */
  phase: CallPhase | null;
  /** What the partner sends. */
  picture: MediaStream | null;
  /** What the partner says to send; null until they said so. */
  partner: MediaState | null;
}

export interface State {
  visit: Visit<Roulette>;
  devices: Devices;
  call: CallState;
}

export type Happening =
  | VisitHappening<Roulette>
  | { type: "devices:asked" }
  | { type: "devices:opened"; tracks: MediaStreamTrack[] }
  | { type: "devices:refused"; why: DeviceRefusal; wanted: Wanted }
  | { type: "devices:closed" }
  /** Let go without the person having said so: it was unplugged, or the room has no picture. */
  | { type: "camera:lost" }
  | { type: "camera:switched"; on: boolean }
  | { type: "microphone:lost" }
  | { type: "microphone:switched"; on: boolean }
  | { type: "call:phase"; phase: CallPhase }
  | { type: "call:picture"; picture: MediaStream | null }
  | { type: "call:partner"; partner: MediaState };

export const NO_DEVICES: Devices = {
  camera: null,
  microphone: null,
  cameraOn: true,
  microphoneOn: true,
  asking: false,
  refusal: null,
};

export const NO_CALL: CallState = { phase: null, picture: null, partner: null };

/** What the person shows and lets hear. */
export function shown({ camera, microphone, microphoneOn }: Devices): MediaState {
  return { camera: camera !== null, microphone: microphone !== null && microphoneOn };
}
