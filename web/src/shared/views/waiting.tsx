// The second stage: the wish is with the server, and a partner is not there yet.
import type { ComponentChildren } from "preact";
import type { Waiting as WaitingStage } from "../visit";
import { clockFace, estimate } from "../words";
import { useNow } from "./now";

interface Props {
  stage: WaitingStage;
  /** The disc with its empty half. */
  art: ComponentChildren;
  title: string;
  /** What is waited for. */
  children: ComponentChildren;
  company: ComponentChildren;
  onCancel: () => void;
}

export function Waiting({ stage, art, title, children, company, onCancel }: Props) {
  return (
    <section class="waiting">
      {art}
      <h1 tabIndex={-1} data-start>
        {title}
      </h1>
      {children}
      {stage.again && <p class="note-again">Your partner did not arrive. You keep your place in the line.</p>}
      <p class="company">{company}</p>
      <dl class="figures">
        <div>
          <dt>Waited</dt>
          <dd>
            <Elapsed since={stage.since} />
          </dd>
        </div>
        <div>
          <dt>Usual wait</dt>
          <dd data-testid="estimate">{stage.others === null ? "…" : estimate(stage)}</dd>
        </div>
      </dl>
      <button type="button" class="button" onClick={onCancel}>
        Cancel
      </button>
    </section>
  );
}

function Elapsed({ since }: { since: number }) {
  return <span role="timer">{clockFace(useNow() - since)}</span>;
}
