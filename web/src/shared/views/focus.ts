// Where the focus goes when what had it goes away.

/** To what the stage starts with. */
export function focusStart(): void {
  document.querySelector<HTMLElement>("[data-start]")?.focus({ preventScroll: true });
}

/** To what has come in its place; the `ref` of an element that can have the focus. */
export function takeFocus(element: HTMLElement | null): void {
  element?.focus();
}
