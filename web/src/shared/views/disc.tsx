// The sign of the place: a disc of two halves, one for each person, that only together make a whole.
import type { Half } from "../half";

/** How the halves stand: together, drifting (someone is missing), or apart (it is over). */
export type DiscPose = "whole" | "seeking" | "apart";

interface Props {
  pose: DiscPose;
  /** The half that is filled; `any` stands for either of them. Without it both are. */
  half?: Half | "any";
  class?: string;
}

/** Ornament only: what it shows must stand beside it in words. */
export function Disc({ pose, half, class: extra = "" }: Props) {
  return (
    <span class={`disc disc-${pose} ${half ? `disc-only-${half}` : ""} ${extra}`} aria-hidden="true">
      <span class="half half-indigo" />
      <span class="half half-marigold" />
    </span>
  );
}
