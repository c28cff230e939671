import { describe, expect, test, vi } from "vitest";
import type { ConnectionSignal, Description } from "../contract";
import { FakePeer } from "./fake-peer";
import { negotiate } from "./negotiation";

function page(manners: "polite" | "impolite") {
  const peer = new FakePeer(manners);
  const sent: string[] = [];
  const beforeAnswer = vi.fn();
  const beginAnew = vi.fn();
  const onFailure = vi.fn();
  const send = (signal: ConnectionSignal) => sent.push("description" in signal ? signal.description.sdp : "candidate");
  const made = negotiate(peer, { manners, send, beforeAnswer, beginAnew, onFailure });
  return { peer, sent, beforeAnswer, beginAnew, onFailure, ...made };
}

function offer(id = "other/1"): { description: Description } {
  return { description: { type: "offer", sdp: `offer ${id}` } };
}

function answer(to: string): { description: Description } {
  return { description: { type: "answer", sdp: `answer other/2 to ${to}` } };
}

function candidate(name: string): ConnectionSignal {
  return { candidate: { candidate: name, sdpMid: "0" } };
}

describe("without a collision", () => {
  test("offer is sent, and its answer taken", async () => {
    const { peer, sent, offer: make, receive } = page("impolite");
    await make();
    expect(sent).toEqual(["offer impolite/1"]);
    await receive(answer("impolite/1"));
    expect(peer).toMatchObject({ signalingState: "stable", agreement: "impolite/1 + other/2" });
  });

  test("offer is answered, after the own tracks were added", async () => {
    const { peer, sent, beforeAnswer, receive } = page("polite");
    beforeAnswer.mockImplementation(() => expect(sent).toEqual([]));
    await receive(offer());
    expect(beforeAnswer).toHaveBeenCalledOnce();
    expect(sent).toEqual(["answer polite/1 to other/1"]);
    expect(peer.signalingState).toBe("stable");
  });
});

describe("when both offer at once", () => {
  test("the polite one gives its own offer up and answers", async () => {
    const { peer, sent, offer: make, receive } = page("polite");
    await make();
    await receive(offer());
    expect(sent).toEqual(["offer polite/1", "answer polite/2 to other/1"]);
    expect(peer.agreement).toBe("other/1 + polite/2");
  });

  test("the polite one begins anew rather than give up an offer on a connection in use", async () => {
    const { peer, sent, beginAnew, offer: make, receive } = page("polite");
    await receive(offer());
    await make();
    await receive(offer("other/2"));
    expect(beginAnew).toHaveBeenCalledOnce();
    expect(sent).toEqual(["answer polite/1 to other/1", "offer polite/2"]);
    expect(peer.signalingState).toBe("have-local-offer");
  });

  test("the impolite one ignores the offer, and the candidates that belong to it", async () => {
    const { peer, sent, onFailure, offer: make, receive } = page("impolite");
    await make();
    await receive(offer());
    await receive(candidate("of the ignored offer"));
    expect(sent).toEqual(["offer impolite/1"]);
    await receive(answer("impolite/1"));
    expect(peer.agreement).toBe("impolite/1 + other/2");
    expect(onFailure).not.toHaveBeenCalled();
  });

  test("an offer that is still being made collides as well", async () => {
    const { peer, sent, offer: make, receive } = page("impolite");
    const made = make();
    await receive(offer());
    await made;
    expect(sent).toEqual(["offer impolite/1"]);
    expect(peer.signalingState).toBe("have-local-offer");
  });

  test("an offer after the answer does not collide, though the answer is still being taken", async () => {
    const { peer, sent, offer: make, receive } = page("impolite");
    await make();
    void receive(answer("impolite/1"));
    await receive(offer("other/3"));
    expect(sent).toEqual(["offer impolite/1", "answer impolite/2 to other/3"]);
    expect(peer.agreement).toBe("other/3 + impolite/2");
  });

  test("answer to an offer that was given up is dropped", async () => {
    const { peer, onFailure, offer: make, receive } = page("polite");
    await make();
    await receive(offer());
    await receive(answer("polite/1"));
    expect(peer.agreement).toBe("other/1 + polite/2");
    expect(onFailure).not.toHaveBeenCalled();
  });
});

describe("candidates", () => {
  test("those that come before the description are kept for it, in order", async () => {
    const { peer, receive } = page("polite");
    void receive(candidate("a"));
    void receive(candidate("b"));
    void receive(offer());
    await receive({ candidate: null });
    expect(peer.candidates).toEqual(["a", "b", "end"]);
  });

  test("one that is refused costs nothing but itself", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const { peer, onFailure, receive } = page("polite");
    await receive(offer());
    vi.spyOn(peer, "addIceCandidate").mockRejectedValueOnce(new Error("OperationError"));
    await receive(candidate("bad"));
    await receive(candidate("good"));
    expect(peer.candidates).toEqual(["good"]);
    expect(onFailure).not.toHaveBeenCalled();
    expect(warn).toHaveBeenCalledOnce();
    warn.mockRestore();
  });
});

test("description that is refused is a failure, and does not stop what follows", async () => {
  const { peer, onFailure, receive } = page("polite");
  vi.spyOn(peer, "setRemoteDescription").mockRejectedValueOnce(new Error("bad SDP"));
  await receive(offer());
  expect(onFailure).toHaveBeenCalledOnce();
  await receive(offer("other/2"));
  expect(peer.agreement).toBe("other/2 + polite/1");
});

test("nothing that a closed connection refuses is a failure", async () => {
  const { peer, onFailure, offer: make, receive } = page("polite");
  peer.close();
  await make();
  await receive(offer());
  await receive(candidate("a"));
  expect(onFailure).not.toHaveBeenCalled();
});
