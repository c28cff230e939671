// The state of the connection, when it is anything but fine.
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Link } from "../visit";
import { focusStart } from "./focus";
import type { Noun } from "../words";

interface Props {
  link: Link;
  noun: Noun;
  onRetry: () => void;
}

/** The region is always there, so that screen readers speak what appears in it. */
export function Banner(props: Props) {
  return (
    <div class="banner-place" role="status" data-link={props.link.name}>
      <Strip {...props} />
    </div>
  );
}

function Strip({ link, noun, onRetry }: Props) {
  switch (link.name) {
    case "connecting":
    case "online":
      return null;
    case "reconnecting":
      return (
        <div class="banner banner-lost">
          <span class="banner-spinner" aria-hidden="true" />
          <p>
            No connection. Reconnecting…
            {/* For the eye: spoken at each attempt, it would never be quiet. */}
            {link.attempt > 0 && (
              <span class="banner-attempt" aria-hidden="true">
                {" "}
                Attempt {link.attempt}
              </span>
            )}
          </p>
          <Retry onRetry={onRetry}>Try now</Retry>
        </div>
      );
    case "restoring":
      return (
        <div class="banner banner-lost">
          <span class="banner-spinner" aria-hidden="true" />
          <p>Connected. Returning you to your {noun}…</p>
        </div>
      );
    case "restored":
      return (
        <div class="banner banner-restored">
          <p>Connection restored.</p>
        </div>
      );
    case "closed":
      return (
        <div class="banner banner-lost">
          <p>{link.why ?? `The server closed the connection. Is this ${noun} open in another tab?`}</p>
          <Retry onRetry={onRetry}>Connect here</Retry>
        </div>
      );
  }
}

/** A button that goes away when it has helped, and then leaves the focus to the stage. */
function Retry({ onRetry, children }: { onRetry: () => void; children: string }) {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => () => {
    if (document.activeElement === button.current) focusStart();
  }, []);
  return (
    <button type="button" ref={button} class="link-button" onClick={onRetry}>
      {children}
    </button>
  );
}
