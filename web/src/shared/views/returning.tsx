// Between a reload and the server handing the conversation back.
import type { Noun } from "../words";
import { Disc } from "./disc";

export function Returning({ noun }: { noun: Noun }) {
  return (
    <section class="waiting">
      <Disc pose="seeking" class="waiting-disc" />
      <h1 tabIndex={-1} data-start>
        Returning to your {noun}
      </h1>
      <p class="company">Your seat is kept for a while.</p>
    </section>
  );
}
