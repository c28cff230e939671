// The last stage: why it is over, what it was, what next, and what to say about it.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { App, Refusal } from "../contract";
import type { Half } from "../half";
import { refusalWords } from "../refusals";
import type { Session } from "../session";
import type { Ended as EndedStage } from "../visit";
import { endingWords, type Noun } from "../words";
import { Feedback } from "./feedback";
import { takeFocus } from "./focus";
import { Transcript } from "./messages";

interface Props<A extends App> {
  stage: EndedStage<A>;
  noun: Noun;
  half: Half;
  session: Session<A>;
  /** The halves apart. */
  art: ComponentChildren;
  /** What it was. */
  children: ComponentChildren;
  /** The ways on, the most likely first. */
  ways: ComponentChildren;
}

export function Ended<A extends App>({ stage, noun, half, session, art, children, ways }: Props<A>) {
  const { talk, ending, after } = stage;
  const { title, text } = endingWords(ending, noun);
  const harmed = ending === "reported" || ending === "you_reported" || ending === "you_blocked";
  return (
    <section class="ended">
      {art}
      <h1 tabIndex={-1} data-start>
        {title}
      </h1>
      <p class="lead">{text}</p>
      {children}
      <div class="ended-next">{ways}</div>
      {talk && !harmed && after.forgotten && (
        <p class="ended-block">
          The server does not know this {noun} any more: it cannot be rated, nor your partner blocked.
        </p>
      )}
      {talk && !harmed && !after.forgotten && (
        <>
          <Feedback rated={after.rating} onRate={session.rate} />
          <Block blocked={after.blocked} onBlock={session.block} />
        </>
      )}
      {talk && talk.messages.length > 0 && (
        <details class="ended-again">
          <summary>Read it again</summary>
          <Transcript messages={talk.messages} half={half} />
        </details>
      )}
    </section>
  );
}

function Block({ blocked, onBlock }: { blocked: boolean; onBlock: () => Promise<Refusal | null> }) {
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  if (blocked) {
    return (
      <p class="ended-block" tabIndex={-1} ref={takeFocus}>
        Blocked. The two of you are never paired again.
      </p>
    );
  }
  return (
    <p class="ended-block">
      Rather not meet them again?{" "}
      <button type="button" class="link-button" onClick={async () => setRefusal(await onBlock())}>
        Block this partner
      </button>
      {refusal && (
        <span class="refusal" role="alert">
          {" "}
          {refusalWords(refusal)}
        </span>
      )}
    </p>
  );
}
