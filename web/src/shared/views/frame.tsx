// The frame around every stage of both pages: header, banner, the stage itself, footer, and what is spoken.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Link, StageName } from "../visit";
import type { Noun } from "../words";
import { Banner } from "./banner";
import { focusStart } from "./focus";
import { Footer } from "./footer";
import { Header, type PageName, type Pulse } from "./header";

interface Props {
  page: PageName;
  noun: Noun;
  stage: StageName;
  link: Link;
  pulse: Pulse;
  onRetry: () => void;
  /** What a screen reader says when it changes. */
  status: ComponentChildren;
  children: ComponentChildren;
}

export function Frame({ page, noun, stage, link, pulse, onRetry, status, children }: Props) {
  const first = useRef(true);
  // A new stage replaces what had the focus: it goes to what the new stage starts with.
  useEffect(() => {
    if (!first.current) {
      scrollTo(0, 0);
      focusStart();
    }
    first.current = false;
  }, [stage]);

  return (
    <div class={`frame frame-${stage}`}>
      <Header page={page} pulse={pulse} ways={stage === "talking" || stage === "returning" ? "hidden" : "shown"} />
      <Banner link={link} noun={noun} onRetry={onRetry} />
      <main class="stage">{children}</main>
      <Footer />
      <p class="spoken" role="status" data-testid="status">
        {status}
      </p>
    </div>
  );
}
