// The state of the connection, when it is anything but fine.
import type { Link } from "../state";

interface Props {
  link: Link;
  onRetry: () => void;
}

/** The region is always there, so that screen readers speak what appears in it. */
export function Banner({ link, onRetry }: Props) {
  return (
    <div class="banner-place" role="status" data-link={link.name}>
      <Strip link={link} onRetry={onRetry} />
    </div>
  );
}

function Strip({ link, onRetry }: Props) {
  switch (link.name) {
    case "connecting":
    case "online":
      return null;
    case "reconnecting":
      return (
        <div class="banner banner-lost">
          <span class="banner-spinner" aria-hidden="true" />
          <p>
            Connection lost. Reconnecting…
            {link.attempt > 0 && <span class="banner-attempt"> Attempt {link.attempt}</span>}
          </p>
          <button type="button" class="link-button" onClick={onRetry}>
            Try now
          </button>
        </div>
      );
    case "restoring":
      return (
        <div class="banner banner-lost">
          <span class="banner-spinner" aria-hidden="true" />
          <p>Connected. Returning you to your debate…</p>
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
          <p>{link.why}</p>
          <button type="button" class="link-button" onClick={onRetry}>
            Connect here
          </button>
        </div>
      );
  }
}
