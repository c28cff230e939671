// Starting a call anew, together: one page lost its connection with a reload, or does not trust it any more. Signals that
// were sent before may still arrive after, out of another life; a question and its answer mark where the new life begins.
import type { ConnectionSignal, Renewal as Word, Signal } from "../contract";

interface Ends {
  send(signal: Signal): void;
  /** Let go of the connection, and of everything that was agreed for it. */
  drop(): void;
  /** Both have let go: build a new connection. */
  begin(): void;
  /** A signal of the connection that stands now. */
  deliver(signal: ConnectionSignal): void;
  /** A name that no other renewal has. */
  newName(): string;
}

export interface Renewal {
  /** Starts anew, together with the other page. */
  ask(): void;
  /** Sorts what arrives: words of renewal, signals of this life, and those of another one, which are dropped. */
  receive(signal: Signal): void;
}

export function renewal({ send, drop, begin, deliver, newName }: Ends): Renewal {
  /** The renewal that was asked for and is not answered yet: until then everything that arrives is of another life. */
  let asked: string | null = null;

  const say = (word: Word) => send({ renewal: word });

  return {
    ask() {
      asked = newName();
      drop();
      say({ asks: asked });
    },
    receive(signal) {
      if (!("renewal" in signal)) {
        if (asked === null) deliver(signal);
      } else if ("asks" in signal.renewal) {
        say({ answers: signal.renewal.asks });
        // When both ask at once, each begins with the answer to its own question.
        if (asked !== null) return;
        drop();
        begin();
      } else if (signal.renewal.answers === asked) {
        asked = null;
        begin();
      }
    },
  };
}
