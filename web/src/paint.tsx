// Puts the state on the screen. A change of stage is a view transition, in which the disc travels from its old place to
// its new one; everything else is painted at once. Also keeps the title of the tab, with the unread count.
import { render } from "preact";
import type { Session } from "./session";
import type { State } from "./state";
import type { Store } from "./store";
import { Page } from "./views/page";
import { tabTitle } from "./words";

/** Paints into `root` now and at every change of the store. */
export function paintOn(root: HTMLElement, store: Store, session: Session): void {
  const paint = () => render(<Page state={store.state} session={session} />, root);
  const title = titleKeeper(store);
  store.subscribe((state, before) => {
    title(state, before);
    // The next transition may cut this one short, which is no error here.
    if (moves(state, before)) document.startViewTransition(paint).ready.catch(() => {});
    else paint();
  });
  paint();
}

function moves(state: State, before: State): boolean {
  return (
    state.stage.name !== before.stage.name &&
    "startViewTransition" in document &&
    document.visibilityState === "visible" &&
    !matchMedia("(prefers-reduced-motion: reduce)").matches
  );
}

function titleKeeper(store: Store): (state: State, before: State) => void {
  let unread = 0;
  const show = () => {
    document.title = tabTitle(store.state, unread);
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
