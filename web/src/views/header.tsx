// The name of the place, and how many people are in it right now.
import type { TopicState } from "../contract";
import { total } from "../topics";
import { people } from "../words";
import { Disc } from "./disc";

export function Header({ lobby }: { lobby: TopicState[] }) {
  const { waiting, debating } = total(lobby);
  return (
    <header class="header">
      <a class="brand" href="/">
        <Disc pose="whole" class="brand-disc" />
        Throng
      </a>
      <p class="pulse">
        <span class={`pulse-dot ${waiting + debating > 0 ? "pulse-live" : ""}`} aria-hidden="true" />
        <span data-testid="waiting-total">{people(waiting)} waiting</span>
        <span class="pulse-more">, {debating} debating</span>
      </p>
    </header>
  );
}
