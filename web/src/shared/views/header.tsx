// The name of the place, its two pages, and how many people are in this one right now.
import { people } from "../words";
import { Disc } from "./disc";

/** The pages of the site. */
export type PageName = "debate" | "roulette";

const PAGES: { name: PageName; path: string; title: string }[] = [
  { name: "debate", path: "/", title: "Debate" },
  { name: "roulette", path: "/roulette", title: "Roulette" },
];

/** How busy the page is, in people; `doing` is what the busy ones do: `debating`. */
export interface Pulse {
  /** Null without a connection: nobody knows. */
  count: { waiting: number; busy: number } | null;
  doing: string;
}

interface Props {
  page: PageName;
  pulse: Pulse;
  /** The ways to the other page, which would lose a conversation. */
  ways: "shown" | "hidden";
}

export function Header({ page, pulse, ways }: Props) {
  return (
    <header class="header">
      <a class="brand" href="/">
        <Disc pose="whole" class="brand-disc" />
        Throng
      </a>
      {ways === "shown" && (
        <nav class="ways" aria-label="Pages">
          {PAGES.map(({ name, path, title }) => (
            <a key={name} href={path} aria-current={name === page ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
      )}
      <HowBusy {...pulse} />
    </header>
  );
}

function HowBusy({ count, doing }: Pulse) {
  const live = count !== null && count.waiting + count.busy > 0;
  return (
    <p class="pulse">
      <span class={`pulse-dot ${live ? "pulse-live" : ""}`} aria-hidden="true" />
      {count === null ? (
        <>
          <span aria-hidden="true">– waiting, – {doing}</span>
          <span class="spoken">How many people are here is not known without a connection.</span>
        </>
      ) : (
        `${people(count.waiting)} waiting, ${count.busy} ${doing}`
      )}
    </p>
  );
}
