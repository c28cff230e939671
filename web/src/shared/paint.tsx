// Puts the state on the screen. A change of stage is a view transition, in which the disc travels from its old place to
// its new one; everything else is painted at once. Also keeps the title of the tab, with the unread count.
import { type ComponentChild, render } from "preact";
import type { App } from "./contract";
import type { Visit } from "./visit";

interface Painted<State> {
  readonly state: State;
  subscribe(listener: (state: State, before: State) => void): void;
}

interface Painting<State, A extends App> {
  root: HTMLElement;
  view: (state: State) => ComponentChild;
  visitOf: (state: State) => Visit<A>;
  /** The title of the tab; `unread` counts messages that came while the tab was hidden. */
  title: (visit: Visit<A>, unread: number) => string;
}

/** Paints now and at every change of the store. */
export function paint<State, A extends App>(store: Painted<State>, painting: Painting<State, A>): void {
  const { root, view, visitOf } = painting;
  const show = () => render(view(store.state), root);
  const keepTitle = titleKeeper(store, painting);
  store.subscribe((state, before) => {
    keepTitle(visitOf(state), visitOf(before));
    // The next transition may cut this one short, which is no error here.
    if (moves(visitOf(state), visitOf(before))) document.startViewTransition(show).ready.catch(() => {});
    else show();
  });
  show();
}

function moves<A extends App>(visit: Visit<A>, before: Visit<A>): boolean {
  return (
    visit.stage.name !== before.stage.name &&
    "startViewTransition" in document &&
    document.visibilityState === "visible" &&
    !matchMedia("(prefers-reduced-motion: reduce)").matches
  );
}

function titleKeeper<State, A extends App>(
  store: Painted<State>,
  { visitOf, title }: Painting<State, A>,
): (visit: Visit<A>, before: Visit<A>) => void {
  let unread = 0;
  const show = () => {
    document.title = title(visitOf(store.state), unread);
  };
  document.addEventListener("visibilitychange", () => {
    unread = 0;
    show();
  });
  show();
  return ({ stage }, before) => {
    const grown =
      stage.name === "talking" && before.stage.name === "talking"
        ? stage.messages.length - before.stage.messages.length
        : 0;
    if (document.visibilityState === "hidden") unread += Math.max(0, grown);
    show();
  };
}
