import { expect, test } from "vitest";
import { recall } from "../shared/memory";
import type { Roulette, RouletteRoom } from "./contract";
import { reduce } from "./reducer";
import { type Happening, NO_CALL, NO_DEVICES, type State, shown } from "./state";
import { WISHES } from "./wishes";

const ROOM: RouletteRoom = {
  room: "r1",
  queue: "default",
  state: "active",
  startedAt: 0,
  endsAt: 9_000,
  resumed: false,
  history: [],
  tags: [],
  media: "video",
  role: "offerer",
  iceServers: [],
};
const JOINED: Happening = { type: "room:joined", room: ROOM, now: 1 };

// Tracks are the browser's; here they only have to be told apart.
function track(kind: "audio" | "video"): MediaStreamTrack {
  return { kind } as MediaStreamTrack;
}

function after(happenings: Happening[]): State {
  const first = { visit: recall<Roulette>(null, WISHES), devices: NO_DEVICES, call: NO_CALL };
  return happenings.reduce(reduce, first);
}

function devices(happenings: Happening[]) {
  return after(happenings).devices;
}

const CAMERA = track("video");
const MICROPHONE = track("audio");
const OPENED: Happening = { type: "devices:opened", tracks: [MICROPHONE, CAMERA] };

test("devices that were opened are shown", () => {
  const opened = devices([{ type: "devices:asked" }, OPENED]);
  expect(opened).toMatchObject({ camera: CAMERA, microphone: MICROPHONE, asking: false });
  expect(shown(opened)).toEqual({ camera: true, microphone: true });
});

test("refusal stands until the browser is asked again", () => {
  const refused: Happening[] = [{ type: "devices:asked" }, { type: "devices:refused", why: "denied", wanted: "video" }];
  expect(devices(refused)).toMatchObject({ asking: false, refusal: { why: "denied", wanted: "video" } });
  expect(devices([...refused, { type: "devices:asked" }])).toMatchObject({ asking: true, refusal: null });
});

test("camera that is switched off is let go and stays off; the microphone is kept and is silent", () => {
  const off = devices([OPENED, { type: "camera:switched", on: false }, { type: "microphone:switched", on: false }]);
  expect(off).toMatchObject({ camera: null, cameraOn: false, microphone: MICROPHONE });
  expect(shown(off)).toEqual({ camera: false, microphone: false });
});

test("camera that was lost is one the person still wants", () => {
  expect(devices([OPENED, { type: "camera:lost" }])).toMatchObject({ camera: null, cameraOn: true });
});

test("camera alone leaves the microphone as it is", () => {
  const again = track("video");
  const both = devices([OPENED, { type: "camera:lost" }, { type: "devices:opened", tracks: [again] }]);
  expect(both).toMatchObject({ camera: again, microphone: MICROPHONE });
});

test("call belongs to its room", () => {
  const call: Happening[] = [JOINED, { type: "call:phase", phase: "connected" }];
  expect(after(call).call.phase).toBe("connected");
  expect(after([...call, { ...JOINED, room: { ...ROOM, resumed: true } }]).call.phase).toBe("connected");
  expect(after([...call, { ...JOINED, room: { ...ROOM, room: "r2" } }]).call).toEqual(NO_CALL);
  const ended: Happening = { type: "room:ended", room: "r1", reason: "left", next: "offered", now: 2 };
  expect(after([...call, ended]).call).toEqual(NO_CALL);
});

test("lobby counts the one who waits too", () => {
  const { visit } = after([
    { type: "wish:made", wish: { media: "video" }, now: 1 },
    { type: "wish:accepted", waiting: 0, estimatedWaitMs: null },
    { type: "lobby:state", lobby: { waiting: 3, talking: 0 } },
  ]);
  expect(visit.stage).toMatchObject({ others: 2 });
});
