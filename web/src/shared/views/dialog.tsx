// A question in front of the page, as the browser's own modal dialog: it keeps the focus, Escape closes it, and the focus
// returns to where it was.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  title: string;
  /** It has closed. */
  onClose: () => void;
  /** What stands in it; `close` closes it. */
  children: (close: () => void) => ComponentChildren;
}

export function Dialog({ title, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  // The browser gives the focus back only while the dialog is still in the page: it is taken out afterwards.
  const close = () => dialog.current?.close();
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby="dialog-title"
      onClose={onClose}
      onClick={(event) => event.target === event.currentTarget && close()}
    >
      <div class="dialog-box">
        <h2 id="dialog-title">{title}</h2>
        {children(close)}
      </div>
    </dialog>
  );
}
