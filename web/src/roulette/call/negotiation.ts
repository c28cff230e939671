// Perfect negotiation: two pages agree on the descriptions of one connection, even when both offer at once. One of them is
// polite and gives its own offer up, the other one ignores the offer that collides with its own. Owns the decisions; the
// connection, the tracks and the way of the signals are others' business.
// After W3C WebRTC 1.0, section 10.7 "Perfect negotiation".
import type { Candidate, ConnectionSignal, Description } from "../contract";

/** What negotiating needs of an RTCPeerConnection. */
export interface Peer {
  readonly signalingState: RTCSignalingState;
  readonly localDescription: { readonly type: RTCSdpType; readonly sdp: string } | null;
  readonly remoteDescription: unknown;
  setLocalDescription(): Promise<void>;
  setRemoteDescription(description: Description): Promise<void>;
  addIceCandidate(candidate: Candidate | null): Promise<void>;
}

interface Terms {
  manners: "polite" | "impolite";
  send(signal: ConnectionSignal): void;
  /** Called with an offer accepted and its answer not yet made: the time to add one's own tracks. */
  beforeAnswer(): void;
  /**
   * An offer of one's own would have to be given up on a connection that is in use: it has to begin anew instead. Chromium
   * (156) shows nothing of what it receives any more once it has rolled such an offer back.
   */
  beginAnew(): void;
  /** Something that should not happen happened: this connection will not be negotiated any more. */
  onFailure(error: unknown): void;
}

export interface Negotiation {
  /** The connection needs an offer: to begin, or because something has changed. */
  offer(): Promise<void>;
  /** Takes what the other page said; one after the other, in the order of the calls. */
  receive(signal: ConnectionSignal): Promise<void>;
}

export function negotiate(peer: Peer, { manners, send, beforeAnswer, beginAnew, onFailure }: Terms): Negotiation {
  let offering = false;
  let acceptingAnswer = false;
  let ignoring = false;
  /** Candidates that came before the description they belong to. */
  let early: (Candidate | null)[] = [];
  let turn: Promise<void> = Promise.resolve();

  const isClosed = () => peer.signalingState === "closed";

  /** An offer collides unless nothing of one's own is under way. An answer on its way in is as good as stable. */
  const collides = ({ type }: Description) =>
    type === "offer" && (offering || !(peer.signalingState === "stable" || acceptingAnswer));

  const describe = async (description: Description) => {
    const collision = collides(description);
    ignoring = manners === "impolite" && collision;
    if (ignoring) return;
    if (collision && peer.remoteDescription !== null) return beginAnew();
    // An answer without a question: to an offer that was given up.
    if (description.type === "answer" && peer.signalingState !== "have-local-offer") return;
    acceptingAnswer = description.type === "answer";
    try {
      // Gives up an offer of one's own, if there is one.
      await peer.setRemoteDescription(description);
    } finally {
      acceptingAnswer = false;
    }
    const held = early;
    early = [];
    for (const candidate of held) await add(candidate);
    if (description.type !== "offer") return;
    beforeAnswer();
    await peer.setLocalDescription();
    sendLocal();
  };

  const add = async (candidate: Candidate | null) => {
    if (peer.remoteDescription === null) {
      early.push(candidate);
      return;
    }
    try {
      await peer.addIceCandidate(candidate);
    } catch (error) {
      // One of an offer that was ignored is not understood, which is right. Any other one is one way less to connect,
      // and no reason to give up those that are left.
      if (!ignoring && !isClosed()) console.warn("candidate refused", error);
    }
  };

  const sendLocal = () => {
    const local = peer.localDescription;
    // One that was closed meanwhile has nothing to say: another may speak already.
    if (local !== null && !isClosed()) send({ description: { type: local.type, sdp: local.sdp } });
  };

  const guarded = async (step: () => Promise<void>) => {
    try {
      await step();
    } catch (error) {
      if (!isClosed()) onFailure(error);
    }
  };

  return {
    offer: () =>
      guarded(async () => {
        offering = true;
        try {
          await peer.setLocalDescription();
          sendLocal();
        } finally {
          offering = false;
        }
      }),
    receive(signal) {
      turn = turn.then(() =>
        guarded(() => ("description" in signal ? describe(signal.description) : add(signal.candidate))),
      );
      return turn;
    },
  };
}
