// The time that is left, as a ring that empties and as minutes and seconds.
import type { Half } from "../half";
import type { Talk } from "../visit";
import { clockFace } from "../words";
import { useNow } from "./now";

interface Props {
  talk: Pick<Talk<unknown>, "startedAt" | "endsAt" | "warned">;
  half: Half;
}

export function Clock({ talk, half }: Props) {
  const left = Math.max(0, talk.endsAt - useNow());
  const share = Math.min(1, left / Math.max(1, talk.endsAt - talk.startedAt));
  return (
    <div class={`clock clock-${half} ${talk.warned !== null ? "clock-short" : ""}`} role="timer" aria-label="Time left">
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
        {clockFace(left)}
      </span>
    </div>
  );
}
