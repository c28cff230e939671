// What to do about a partner who does harm: a report, which ends the conversation, or a block without one.
import { useState } from "preact/hooks";
import type { Refusal, ReportReason } from "../contract";
import { length, MESSAGE_MAX } from "../draft";
import { refusalWords } from "../refusals";
import { Dialog } from "./dialog";

const REASONS: { reason: ReportReason; words: string }[] = [
  { reason: "abuse", words: "Insults, threats or hate" },
  { reason: "sexual", words: "Sexual content" },
  { reason: "minor", words: "Someone seems to be a child" },
  { reason: "spam", words: "Advertising or spam" },
  { reason: "other", words: "Something else" },
];

interface Props {
  onReport: (reason: ReportReason, text: string) => Promise<Refusal | null>;
  onBlock: () => Promise<Refusal | null>;
  onClose: () => void;
}

export function Safety({ onReport, onBlock, onClose }: Props) {
  const [reason, setReason] = useState<ReportReason | null>(null);
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);

  const ask = async (request: () => Promise<Refusal | null>) => {
    setBusy(true);
    // Granted, it ends the conversation, and this with it.
    setRefusal(await request());
    setBusy(false);
  };
  const over = Math.max(0, length(text) - MESSAGE_MAX);
  const submit = (event: Event) => {
    event.preventDefault();
    if (reason !== null) void ask(() => onReport(reason, text.trim()));
  };

  return (
    <Dialog title="What is wrong?" onClose={onClose}>
      {(close) => (
        <form class="safety" onSubmit={submit}>
          <p class="dialog-lead">
            A report or a block ends this at once, and the two of you are never paired again. Your partner is not told
            who reported.
          </p>
          <fieldset class="choices">
            <legend class="spoken">Reason</legend>
            {REASONS.map((entry) => (
              <label key={entry.reason} class="choice">
                <input
                  type="radio"
                  name="reason"
                  checked={reason === entry.reason}
                  onChange={() => setReason(entry.reason)}
                />
                <span>{entry.words}</span>
              </label>
            ))}
          </fieldset>
          <label class="field">
            <span class="field-name">In your words, if you like</span>
            <textarea
              rows={2}
              value={text}
              aria-invalid={over > 0}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
          {over > 0 && <p class="refusal">{over} characters too many</p>}
          {refusal && (
            <p class="refusal" role="alert">
              {refusalWords(refusal)}
            </p>
          )}
          <div class="dialog-actions">
            <button type="submit" class="button button-alert" disabled={busy || reason === null || over > 0}>
              Report
            </button>
            <button type="button" class="button" disabled={busy} onClick={() => ask(onBlock)}>
              Only block
            </button>
            <button type="button" class="link-button" onClick={close}>
              Back
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
