// The roulette's talk with the server and the browser: the visit as on every page, one's own devices, and the call that
// comes and goes with the room. What is true stands in the store.
import { openSession, type Session } from "../shared/session";
import { focus, type Store } from "../shared/store";
import type { Happening as VisitHappening, Stage, Visit } from "../shared/visit";
import type { Wire } from "../shared/wire";
import { type Call, openCall } from "./call/call";
import type { CallReport, Media, Roulette, RouletteEvents, RouletteRequests, RouletteWish, Signal } from "./contract";
import { openDevices, type Wanted } from "./devices";
import { type Devices, type Happening, type State, shown } from "./state";

export interface RouletteSession extends Session<Roulette> {
  /** Opens the devices that the wish needs, then asks for a partner. */
  meet(wish: RouletteWish): void;
  /** Opens the devices for a look at oneself, or lets go of them. */
  preview(media: Media): void;
  endPreview(): void;
  switchCamera(): void;
  switchMicrophone(): void;
  /** Sets the call up anew, for the person who does not want to wait any longer. */
  renewCall(): void;
}

type RouletteStore = Store<State, Happening>;
type RouletteWire = Wire<RouletteRequests, RouletteEvents>;

export function openRouletteSession(wire: RouletteWire, store: RouletteStore): RouletteSession {
  const visits = focus<State, Happening, Visit<Roulette>, VisitHappening<Roulette>>(store, ({ visit }) => visit);
  const session = openSession<Roulette>(wire, visits);
  const devices = deviceKeeper(store);
  const calls = callKeeper(wire, store);

  store.subscribe(({ visit }, before) => {
    const talking = talkingOf(visit.stage);
    if (talking !== null && talking.id !== talkingOf(before.visit.stage)?.id) void devices.suit(talking.room.media);
  });
  // After a reload the devices are asked for again.
  const { stage, wish } = store.state.visit;
  if (wish.media !== "text" && (stage.name === "waiting" || stage.name === "returning")) {
    void devices.open(wish.media).then((open) => {
      if (!open && store.state.visit.stage.name === "waiting") session.cancel();
    });
  }

  return {
    ...session,
    async meet(wish) {
      if (wish.media === "text") devices.close();
      else if (!(await devices.open(wish.media))) return;
      session.choose(wish);
    },
    preview(media) {
      if (media === "text") return;
      store.dispatch({ type: "camera:switched", on: true });
      void devices.open(media);
    },
    endPreview: devices.close,
    switchCamera: devices.switchCamera,
    switchMicrophone: devices.switchMicrophone,
    renewCall: calls.renew,
  };
}

type Talking = Extract<Stage<Roulette>, { name: "talking" }>;

function talkingOf(stage: Stage<Roulette>): Talking | null {
  return stage.name === "talking" ? stage : null;
}

function deviceKeeper(store: RouletteStore) {
  const devices = () => store.state.devices;

  /** Asks for what is missing. False when it was refused, which the store then says. */
  const open = async (media: "video" | "audio"): Promise<boolean> => {
    const wanted = missing(devices(), media);
    return wanted === null || ask(wanted);
  };

  const ask = async (wanted: Wanted): Promise<boolean> => {
    store.dispatch({ type: "devices:asked" });
    const opened = await openDevices(wanted);
    if (!opened.ok) {
      store.dispatch({ type: "devices:refused", why: opened.why, wanted });
      return false;
    }
    for (const track of opened.tracks) {
      if (track.kind === "audio") track.enabled = devices().microphoneOn;
      track.onended = () => store.dispatch({ type: track.kind === "video" ? "camera:lost" : "microphone:lost" });
    }
    store.dispatch({ type: "devices:opened", tracks: opened.tracks });
    return true;
  };

  return {
    open,
    close() {
      devices().camera?.stop();
      devices().microphone?.stop();
      store.dispatch({ type: "devices:closed" });
    },
    /** A room may have less than was wished for; a camera that nobody sees is let go, and taken again for the next. */
    async suit(media: Media) {
      const { camera, cameraOn, asking } = devices();
      if (media !== "video" && camera !== null) {
        camera.stop();
        store.dispatch({ type: "camera:lost" });
      }
      if (media === "video" && camera === null && cameraOn && !asking) await ask("camera");
    },
    switchCamera() {
      const { camera } = devices();
      camera?.stop();
      store.dispatch({ type: "camera:switched", on: camera === null });
      if (camera === null) void ask("camera");
    },
    switchMicrophone() {
      const { microphone, microphoneOn } = devices();
      if (microphone === null) return void ask("audio");
      microphone.enabled = !microphoneOn;
      store.dispatch({ type: "microphone:switched", on: !microphoneOn });
    },
  };
}

/** What has to be asked for, so that there is all that `media` needs. */
function missing({ camera, microphone, cameraOn }: Devices, media: "video" | "audio"): Wanted | null {
  const wantsCamera = media === "video" && cameraOn && camera === null;
  if (microphone === null) return wantsCamera ? "video" : "audio";
  return wantsCamera ? "camera" : null;
}

function callKeeper(wire: RouletteWire, store: RouletteStore) {
  let call: Call | null = null;

  // Without a connection it is lost; once there is one again the call is looked at anew.
  const send = (signal: Signal, room: string) => void wire.ask("signal", { ...signal, room });
  const report = (about: CallReport, room: string) => void wire.ask("call:report", { ...about, room });
  const tellMedia = (room: string) => void wire.ask("media:state", { ...shown(store.state.devices), room });

  const begin = ({ room, id }: Talking) => {
    if (room.media === "text") return;
    call = openCall(room, tracksOf(store.state.devices), {
      send: (signal) => send(signal, id),
      report: (about) => report(about, id),
      onPhase: (phase) => store.dispatch({ type: "call:phase", phase }),
      onPicture: (picture) => store.dispatch({ type: "call:picture", picture }),
    });
    tellMedia(id);
  };

  store.subscribe(({ visit, devices }, before) => {
    const now = talkingOf(visit.stage);
    const was = talkingOf(before.visit.stage);
    if (now?.id !== was?.id) {
      call?.close();
      call = null;
      if (now !== null) begin(now);
      return;
    }
    if (call === null || now === null) return;
    // The server has handed the room back.
    if (now.room !== was?.room) call.check();
    if (devices !== before.devices) call.setTracks(tracksOf(devices));
    if (now.room !== was?.room || devices !== before.devices) tellMedia(now.id);
  });

  wire.on("signal", (signal) => call?.receive(signal));
  wire.on("media:state", (partner) => store.dispatch({ type: "call:partner", partner }));
  wire.on("partner:away", () => call?.partner("away"));
  wire.on("partner:back", () => {
    const { stage } = store.state.visit;
    if (call === null || stage.name !== "talking") return;
    call.partner("here");
    call.check();
    tellMedia(stage.id);
  });
  return { renew: () => call?.renew() };
}

function tracksOf({ camera, microphone }: Devices) {
  return { camera, microphone };
}
