// The ways out of a conversation: the next partner, leaving, and the report.
import { useState } from "preact/hooks";
import type { App } from "../contract";
import type { Session } from "../session";
import { Icon } from "./icon";
import { Safety } from "./safety";

interface Props<A extends App> {
  session: Session<A>;
  enabled: boolean;
}

export function Parting<A extends App>({ session, enabled }: Props<A>) {
  const [asking, setAsking] = useState(false);
  // Not `disabled`, which would take the focus away when the connection is lost.
  const way = (go: () => void) => ({ "aria-disabled": !enabled, onClick: () => enabled && go() });
  return (
    <div class="parting">
      <button type="button" class="button button-next" {...way(session.next)}>
        Next
      </button>
      <button type="button" class="button" {...way(session.leave)}>
        Leave
      </button>
      <button
        type="button"
        class="button button-icon"
        aria-label="Report or block"
        title="Report or block"
        aria-haspopup="dialog"
        {...way(() => setAsking(true))}
      >
        <Icon name="flag" />
      </button>
      {asking && <Safety onReport={session.report} onBlock={session.block} onClose={() => setAsking(false)} />}
    </div>
  );
}
