// How the roulette page changes: the visit as on every page, and beside it the devices and the call.
import { visitReducer } from "../shared/reducer";
import type { Roulette } from "./contract";
import { type Devices, type Happening, NO_CALL, type State } from "./state";

// The lobby counts the one who waits, too.
const reduceVisit = visitReducer<Roulette>(({ waiting }) => Math.max(0, waiting - 1));

export function reduce(state: State, happening: Happening): State {
  switch (happening.type) {
    case "devices:asked":
    case "devices:opened":
    case "devices:refused":
    case "devices:closed":
    case "camera:lost":
    case "camera:switched":
    case "microphone:lost":
    case "microphone:switched":
      return { ...state, devices: reduceDevices(state.devices, happening) };
    case "call:phase":
      return { ...state, call: { ...state.call, phase: happening.phase } };
    case "call:picture":
      return { ...state, call: { ...state.call, picture: happening.picture } };
    case "call:partner":
      return { ...state, call: { ...state.call, partner: happening.partner } };
    default:
      return afterVisit(state, reduceVisit(state.visit, happening));
  }
}

function afterVisit(state: State, visit: State["visit"]): State {
  if (visit === state.visit) return state;
  return { ...state, visit, call: sameRoom(state.visit, visit) ? state.call : NO_CALL };
}

function sameRoom({ stage: a }: State["visit"], { stage: b }: State["visit"]): boolean {
  return a.name === "talking" && b.name === "talking" && a.id === b.id;
}

type DeviceHappening = Extract<Happening, { type: `${"devices" | "camera" | "microphone"}:${string}` }>;

function reduceDevices(devices: Devices, happening: DeviceHappening): Devices {
  switch (happening.type) {
    case "devices:asked":
      return { ...devices, asking: true, refusal: null };
    case "devices:opened":
      return opened(devices, happening.tracks);
    case "devices:refused":
      return { ...devices, asking: false, refusal: { why: happening.why, wanted: happening.wanted } };
    case "devices:closed":
      return { ...devices, camera: null, microphone: null, asking: false, refusal: null };
    case "camera:lost":
      return { ...devices, camera: null };
    case "camera:switched":
      return { ...devices, cameraOn: happening.on, camera: happening.on ? devices.camera : null };
    case "microphone:lost":
      return { ...devices, microphone: null };
    case "microphone:switched":
      return { ...devices, microphoneOn: happening.on };
  }
}

function opened(devices: Devices, tracks: MediaStreamTrack[]): Devices {
  const of = (kind: string) => tracks.find((track) => track.kind === kind) ?? null;
  return {
    ...devices,
    camera: of("video") ?? devices.camera,
    microphone: of("audio") ?? devices.microphone,
    asking: false,
    refusal: null,
  };
}

