// An RTCPeerConnection as far as negotiating sees it: the states and the chain of operations of W3C WebRTC 1.0, section
// 4.4, and nothing behind them. For tests. Descriptions are words: `offer ada/1`, `answer ben/2 to ada/1`.
import type { Candidate, Description } from "../contract";
import type { Peer } from "./negotiation";

export class FakePeer implements Peer {
  signalingState: RTCSignalingState = "stable";
  localDescription: Description | null = null;
  remoteDescription: Description | null = null;
  /** The offer and the answer that both sides hold once they agree. */
  agreement: string | null = null;
  readonly candidates: string[] = [];
  private made = 0;
  private chain: Promise<unknown> = Promise.resolve();
  private pending = 0;

  constructor(
    private readonly name: string,
    /** Resolves when the browser would have done its work. */
    private readonly work: () => Promise<void> = async () => {},
  ) {}

  /** Whether the browser would ask for an offer now, if something had changed. */
  get idle(): boolean {
    return this.signalingState === "stable" && this.pending === 0;
  }

  setLocalDescription(): Promise<void> {
    return this.operation(() => this.describeLocal());
  }

  setRemoteDescription(description: Description): Promise<void> {
    return this.operation(() => this.describeRemote(description));
  }

  addIceCandidate(candidate: Candidate | null): Promise<void> {
    return this.operation(() => {
      if (this.remoteDescription === null) throw new Error("InvalidStateError");
      this.candidates.push(candidate?.candidate ?? "end");
    });
  }

  close(): void {
    this.signalingState = "closed";
  }

  private describeLocal(): void {
    this.made += 1;
    const id = `${this.name}/${this.made}`;
    if (this.signalingState === "have-remote-offer" && this.remoteDescription !== null) {
      const offer = idOf(this.remoteDescription);
      this.localDescription = { type: "answer", sdp: `answer ${id} to ${offer}` };
      this.agreement = `${offer} + ${id}`;
      this.signalingState = "stable";
    } else {
      this.localDescription = { type: "offer", sdp: `offer ${id}` };
      this.signalingState = "have-local-offer";
    }
  }

  private describeRemote(description: Description): void {
    if (description.type === "answer") {
      if (this.signalingState !== "have-local-offer") throw new Error("InvalidStateError");
      if (!description.sdp.endsWith(` to ${idOf(this.localDescription)}`)) throw new Error("answer to another offer");
      this.agreement = `${idOf(this.localDescription)} + ${idOf(description)}`;
      this.signalingState = "stable";
    } else {
      // An offer of one's own is rolled back.
      this.signalingState = "have-remote-offer";
    }
    this.remoteDescription = description;
  }

  /** One after the other, and none once it is closed. */
  private operation(step: () => void): Promise<void> {
    this.pending += 1;
    const done = this.chain.then(async () => {
      await this.work();
      this.pending -= 1;
      if (this.signalingState === "closed") throw new Error("InvalidStateError");
      step();
    });
    this.chain = done.catch(() => {});
    return done;
  }
}

function idOf(description: Description | null): string {
  return description?.sdp.split(" ")[1] ?? "";
}
