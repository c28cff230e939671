// Between a reload and the server handing the debate back.
import { Disc } from "./disc";

export function Returning() {
  return (
    <section class="waiting">
      <Disc pose="seeking" class="waiting-disc" />
      <h1 tabIndex={-1} data-start>
        Returning to your debate
      </h1>
      <p class="company">Your seat is kept for half a minute.</p>
    </section>
  );
}
