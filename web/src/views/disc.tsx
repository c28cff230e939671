// The sign of the place: a disc of two halves, one for each side, that only together make a whole.
import type { SideWish } from "../contract";

/** How the halves stand: together, drifting (someone is missing), or apart (it is over). */
export type DiscPose = "whole" | "seeking" | "apart";

interface Props {
  pose: DiscPose;
  /** The half that is filled; `any` stands for either of them. Without it both are. */
  side?: SideWish;
  class?: string;
}

/** Ornament only: what it shows must stand beside it in words. */
export function Disc({ pose, side, class: extra = "" }: Props) {
  return (
    <span class={`disc disc-${pose} ${side ? `disc-side-${side}` : ""} ${extra}`} aria-hidden="true">
      <span class="half half-for" />
      <span class="half half-against" />
    </span>
  );
}
