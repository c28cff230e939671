// People who keep meeting, while something happens to the node that keeps the debates or to Redis: nobody is paired twice, and
// nobody is forgotten.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PAIRINGS, SCALES, meet } from "./pairings.mjs";

/** Milliseconds for a small run, on a machine that has other things to do. */
const RUN_MAX = 120_000;

for (const name of Object.keys(PAIRINGS)) {
  test(`pairings: ${PAIRINGS[name].title}`, { timeout: RUN_MAX }, async (t) => {
    const { people, pairings, doubled, lost, leftover, notOut, ...figures } = await meet(PAIRINGS[name], SCALES.small);
    t.diagnostic(JSON.stringify({ people, pairings, ...figures }));
    assert.ok(pairings > 2 * people, "they keep meeting");
    assert.deepEqual({ doubled, lost, notOut }, { doubled: [], lost: [], notOut: [] });
    assert.deepEqual(leftover, { rooms: 0, waiting: 0 });
  });
}
