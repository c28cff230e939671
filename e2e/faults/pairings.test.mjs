// People who keep meeting, while the node that keeps the debates is killed: nobody is paired twice, and nobody is forgotten.
// What is left to mend of the other faults is in docs/faults.md.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PAIRINGS, SCALES, meet } from "./pairings.mjs";

/** Milliseconds for a small run, on a machine that has other things to do. */
const RUN_MAX = 120_000;

for (const name of ["keeper-killed"]) {
  test(`pairings: ${PAIRINGS[name].title}`, { timeout: RUN_MAX }, async (t) => {
    const { people, pairings, doubled, lost, leftover, notOut, ...figures } = await meet(PAIRINGS[name], SCALES.small);
    t.diagnostic(JSON.stringify({ people, pairings, ...figures }));
    assert.ok(pairings > 2 * people, "they keep meeting");
    assert.deepEqual({ doubled, lost, notOut }, { doubled: [], lost: [], notOut: [] });
    assert.deepEqual(leftover, { rooms: 0, waiting: 0 });
  });
}
