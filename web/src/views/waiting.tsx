// The second stage: the wish is with the server, and a partner is not there yet.
import type { TopicState, Wish } from "../contract";
import type { Stage } from "../state";
import { total } from "../topics";
import { company, minutes, sideName } from "../words";
import { Disc } from "./disc";
import { useNow } from "./now";

interface Props {
  stage: Extract<Stage, { name: "waiting" }>;
  wish: Wish;
  lobby: TopicState[];
  onCancel: () => void;
}

export function Waiting({ stage, wish, lobby, onCancel }: Props) {
  const all = total(lobby);
  return (
    <section class="waiting">
      <Disc pose="seeking" side={wish.side} class="waiting-disc" />
      <h1 tabIndex={-1} data-start>
        {wish.side === "any" ? "Looking for a partner" : "Looking for the other half"}
      </h1>
      <p class="motion">{wish.topic}</p>
      <p class={`side-tag side-tag-${wish.side}`}>{sideName(wish.side)}</p>
      <p class="company">
        {company(stage.others)}
        {stage.others === 0 && (
          <>
            {" "}
            <a href="/" target="_blank" rel="noopener">
              Open a second tab
            </a>{" "}
            to be your own partner.
          </>
        )}
      </p>
      <dl class="figures">
        <div>
          <dt>Waited</dt>
          <dd>
            <Elapsed since={stage.since} />
          </dd>
        </div>
        <div>
          <dt>Waiting in all</dt>
          <dd>{all.waiting}</dd>
        </div>
        <div>
          <dt>Debating now</dt>
          <dd>{all.debating}</dd>
        </div>
      </dl>
      <button type="button" class="button" onClick={onCancel}>
        Cancel
      </button>
    </section>
  );
}

function Elapsed({ since }: { since: number }) {
  return <span role="timer">{minutes(useNow() - since)}</span>;
}
