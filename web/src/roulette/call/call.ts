// One call: the connection to the partner's page, from the room's beginning to its end. Owns the RTCPeerConnection and
// builds a new one when the call is renewed. What to say is negotiation.ts, what to mend is repair.ts, the tracks are
// given.
import type { CallReport, Candidate, RouletteRoom, Signal } from "../contract";
import { type Negotiation, negotiate } from "./negotiation";
import { isRelayed } from "./relay";
import { renewal } from "./renewal";
import { repair, SETUP_MS } from "./repair";
import { reportsInOrder } from "./reports";

/** Longest time for setting up that the server takes. */
const SETUP_MS_MAX = 120_000;

/** How the connection stands. `lost` is one that was there, `failed` one that is not tried any more. */
export type CallPhase = "connecting" | "connected" | "lost" | "failed";

/** One's own camera and microphone, as far as they are on. */
export interface Tracks {
  camera: MediaStreamTrack | null;
  microphone: MediaStreamTrack | null;
}

interface Hooks {
  send(signal: Signal): void;
  report(report: CallReport): void;
  onPhase(phase: CallPhase): void;
  /** What the partner sends, from the first frame on. */
  onPicture(stream: MediaStream | null): void;
}

export interface Call {
  receive(signal: Signal): void;
  setTracks(tracks: Tracks): void;
  /** The partner's page comes and goes; while it is away nothing can be agreed on. */
  partner(partner: "here" | "away"): void;
  /** Signals may have been lost on the way: whatever is not well starts anew. */
  check(): void;
  /** Starts anew, whatever is. */
  renew(): void;
  close(): void;
}

/** Sets the call of a room up. In one that was `resumed` the partner's page still holds the connection from before. */
export function openCall(room: RouletteRoom, tracks: Tracks, hooks: Hooks): Call {
  const report = reportsInOrder(hooks.report);
  let openedAt = performance.now();
  const picture = new MediaStream();
  let own = tracks;
  let partner: "here" | "away" = "here";
  let peer: RTCPeerConnection | null = null;
  let negotiation: Negotiation | null = null;
  let tries = 0;
  let wasConnected = false;
  let repairing: ReturnType<typeof setTimeout> | undefined;
  let deadline: ReturnType<typeof setTimeout> | undefined;

  const line = renewal({
    send: hooks.send,
    drop,
    begin,
    deliver: (signal) => void negotiation?.receive(signal),
    newName: () => crypto.getRandomValues(new Uint32Array(2)).join("-"),
  });

  hooks.onPhase("connecting");
  if (room.resumed) line.ask();
  else begin();

  function drop(): void {
    release();
    hooks.onPhase(wasConnected ? "lost" : "connecting");
  }

  function release(): void {
    clearTimeout(repairing);
    clearTimeout(deadline);
    for (const track of picture.getTracks()) picture.removeTrack(track);
    peer?.close();
    peer = null;
    negotiation = null;
    tries = 0;
  }

  function begin(): void {
    report({ phase: "started" });
    const next = connection(room);
    if (next === null) return fail("other");
    const agreed = negotiate(next, {
      manners: room.role === "offerer" ? "impolite" : "polite",
      send: hooks.send,
      beforeAnswer: () => attach(next),
      beginAnew: line.ask,
      onFailure: () => fail("other"),
    });
    peer = next;
    negotiation = agreed;
    next.onicecandidate = ({ candidate }) => hooks.send({ candidate: candidate && plain(candidate) });
    next.onnegotiationneeded = () => void agreed.offer();
    next.onconnectionstatechange = () => watch(next);
    next.ontrack = ({ track }) => {
      picture.addTrack(track);
      hooks.onPicture(picture);
    };
    deadline = setTimeout(() => {
      if (partner === "here" && next.connectionState !== "connected") fail("timeout");
    }, SETUP_MS);
    // The answerer has nothing to say before the first offer, so the two do not collide from the start.
    if (room.role === "answerer") return;
    next.addTransceiver("audio");
    if (room.media === "video") next.addTransceiver("video");
    attach(next);
  }

  // Both directions are always open, and what is off is a sender without a track: turning it on or off needs no new
  // agreement.
  function attach(here: RTCPeerConnection): void {
    for (const transceiver of here.getTransceivers()) {
      transceiver.direction = "sendrecv";
      const track = transceiver.receiver.track.kind === "video" ? own.camera : own.microphone;
      // It fails only once the connection is closed.
      if (transceiver.sender.track !== track) transceiver.sender.replaceTrack(track).catch(() => {});
    }
  }

  function watch(here: RTCPeerConnection): void {
    clearTimeout(repairing);
    if (here.connectionState === "connected") return void connected(here);
    const next = repair({ role: room.role, state: here.connectionState, tries, partner });
    if (next.do === "give_up") return fail("ice");
    if (next.do === "nothing" && here.connectionState !== "disconnected") return;
    hooks.onPhase(wasConnected ? "lost" : "connecting");
    if (next.do === "nothing") return;
    repairing = setTimeout(() => {
      tries += 1;
      here.restartIce();
    }, next.afterMs);
  }

  async function connected(here: RTCPeerConnection): Promise<void> {
    tries = 0;
    wasConnected = true;
    clearTimeout(deadline);
    const setupMs = Math.min(SETUP_MS_MAX, Math.round(performance.now() - openedAt));
    hooks.onPhase("connected");
    const relayed = isRelayed((await here.getStats()).values());
    report({ phase: "connected", setupMs, relayed });
  }

  function fail(reason: "ice" | "timeout" | "other"): void {
    hooks.onPhase("failed");
    report({ phase: "failed", reason });
  }

  return {
    receive: line.receive,
    setTracks(next) {
      own = next;
      if (peer !== null) attach(peer);
    },
    partner(now) {
      partner = now;
    },
    check() {
      const well = peer?.connectionState === "connected" && peer.signalingState === "stable";
      if (!well) line.ask();
    },
    renew() {
      openedAt = performance.now();
      hooks.onPhase("connecting");
      line.ask();
    },
    close() {
      release();
      hooks.onPicture(null);
    },
  };
}

/** Null where the browser has none to give, or does not understand the servers it is to use. */
function connection({ iceServers }: RouletteRoom): RTCPeerConnection | null {
  try {
    return new RTCPeerConnection({ iceServers });
  } catch (error) {
    console.error("no connection", error);
    return null;
  }
}

function plain({ candidate, sdpMid, sdpMLineIndex, usernameFragment }: RTCIceCandidate): Candidate {
  return { candidate, sdpMid, sdpMLineIndex, usernameFragment };
}
