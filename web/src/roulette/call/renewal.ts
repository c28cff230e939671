// Starting a call anew, together: one page lost its connection with a reload, or does not trust it any more. Signals that
// were sent before may still arrive after, out of another life; a question and its answer mark where the new life begins.
// The words travel as candidates, which no browser takes for one: theirs begin with `candidate:`, or are empty.
import type { Signal } from "../contract";

interface Ends {
  send(signal: Signal): void;
  /** Let go of the connection, and of everything that was agreed for it. */
  drop(): void;
  /** Both have let go: build a new connection. */
  begin(): void;
  /** A signal of the connection that stands now. */
  deliver(signal: Signal): void;
  /** A name that no other renewal has. */
  newName(): string;
}

export interface Renewal {
  /** Starts anew, together with the other page. */
  ask(): void;
  /** Sorts what arrives: words of renewal, signals of this life, and those of another one, which are dropped. */
  receive(signal: Signal): void;
}

type Word = { says: "renew" | "renewed"; name: string };

export function renewal({ send, drop, begin, deliver, newName }: Ends): Renewal {
  /** The renewal that was asked for and is not answered yet: until then everything that arrives is of another life. */
  let asked: string | null = null;

  const say = ({ says, name }: Word) => send({ candidate: { candidate: `${says} ${name}` } });

  return {
    ask() {
      asked = newName();
      drop();
      say({ says: "renew", name: asked });
    },
    receive(signal) {
      const word = wordOf(signal);
      if (word === null) {
        if (asked === null) deliver(signal);
      } else if (word.says === "renew") {
        say({ says: "renewed", name: word.name });
        // When both ask at once, each begins with the answer to its own question.
        if (asked !== null) return;
        drop();
        begin();
      } else if (word.name === asked) {
        asked = null;
        begin();
      }
    },
  };
}

function wordOf(signal: Signal): Word | null {
  if (!("candidate" in signal)) return null;
  const [says, name] = signal.candidate?.candidate.split(" ") ?? [];
  return (says === "renew" || says === "renewed") && name !== undefined ? { says, name } : null;
}
