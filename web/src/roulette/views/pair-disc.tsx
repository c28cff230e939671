// The disc of two people: one's own half shows the own camera where it is on, the other half is whoever comes.
import type { DiscPose } from "../../shared/views/disc";
import { SelfPicture } from "./picture";

interface Props {
  pose: DiscPose;
  camera: MediaStreamTrack | null;
  /** The half of the other one is empty, or waits to be filled. */
  other: "filled" | "empty";
  class: string;
}

export function PairDisc({ pose, camera, other, class: extra }: Props) {
  return (
    <div class={`disc disc-${pose} pair-disc ${other === "empty" ? "disc-only-indigo" : ""} ${extra}`}>
      <div class="half half-indigo">
        {camera ? <SelfPicture camera={camera} class="half-picture" /> : <span aria-hidden="true">You</span>}
      </div>
      <div class="half half-marigold">{other === "filled" && <span aria-hidden="true">Someone</span>}</div>
    </div>
  );
}
