// The time that is left, as a ring that empties and as minutes and seconds.
import type { Side } from "../contract";
import { minutes } from "../words";
import { useNow } from "./now";

/** From when the ring is shown as running out, in milliseconds before the end. */
const SHORT_MS = 60_000;

interface Props {
  startedAt: number;
  endsAt: number;
  side: Side;
}

export function Clock({ startedAt, endsAt, side }: Props) {
  const left = Math.max(0, endsAt - useNow());
  const share = Math.min(1, left / Math.max(1, endsAt - startedAt));
  return (
    <div class={`clock clock-${side} ${left <= SHORT_MS ? "clock-short" : ""}`} role="timer" aria-label="Time left">
      <svg viewBox="0 0 80 80" aria-hidden="true">
        <circle class="clock-track" cx="40" cy="40" r="36" />
        <circle
          class="clock-hand"
          cx="40"
          cy="40"
          r="36"
          pathLength={1}
          stroke-dasharray="1 1"
          stroke-dashoffset={1 - share}
        />
      </svg>
      <span class="clock-text" data-testid="clock">
        {minutes(left)}
      </span>
    </div>
  );
}
