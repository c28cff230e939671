// Whether a call goes through a relay, read from the statistics of its connection.

interface Entry {
  id: string;
  type: string;
  selectedCandidatePairId?: string;
  localCandidateId?: string;
  remoteCandidateId?: string;
  candidateType?: string;
  nominated?: boolean;
  state?: string;
}

/** True when either end of the pair in use is a relay's. */
export function isRelayed(stats: Iterable<Entry>): boolean {
  const entries = new Map([...stats].map((entry) => [entry.id, entry]));
  const all = [...entries.values()];
  const chosen = all.find(({ type }) => type === "transport")?.selectedCandidatePairId;
  // Firefox names no pair at the transport, it marks the pair.
  const pair = chosen
    ? entries.get(chosen)
    : all.find(({ type, nominated, state }) => type === "candidate-pair" && nominated && state === "succeeded");
  return [pair?.localCandidateId, pair?.remoteCandidateId].some(
    (id) => id !== undefined && entries.get(id)?.candidateType === "relay",
  );
}
