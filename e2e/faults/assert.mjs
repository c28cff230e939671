// What every fault has to leave as it was. Counts, never times: those are for docs/faults.md.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PAIRINGS, SCALES as MEETING_SCALES, meet } from "./pairings.mjs";
import { SCENARIOS } from "./scenarios.mjs";
import { SCALES, play } from "./stage.mjs";

/** Milliseconds for a small run, on a machine that has other things to do. */
const RUN_MAX = 300_000;

/** Makes tests of scenarios in their small form. */
export function survives(...names) {
  for (const name of names) {
    const scenario = SCENARIOS[name];
    test(scenario.title, { timeout: RUN_MAX }, async (t) => {
      const figures = await play(scenario, SCALES.small);
      t.diagnostic(JSON.stringify(figures));
      const { whole, afresh, swallowed, local, before, during, afterwards } = figures;
      assert.equal(whole.people + afresh.people, figures.clients);
      assert.ok(whole.people > 0 && whole.heard > 1000, "they talk");
      const { lost, twice, disorder } = whole;
      assert.deepEqual({ lost, twice, disorder, swallowed }, { lost: 0, twice: 0, disorder: 0, swallowed: 0 });
      assert.deepEqual({ silent: local.silent, deaf: local.deaf }, { silent: 0, deaf: 0 }, "each node goes on by itself");
      assert.ok(afterwards.recovered + afterwards.afresh > 0, "connections break all the time");
      // A machine that is busy with other things makes a store seem late, and some positions unknown for a moment.
      const recover = ({ recovered, afresh }) => afresh <= 2 + recovered / 10;
      assert.ok(recover(before), "they recover before");
      if (!scenario.mayForget) assert.ok(recover(during) && recover(afterwards), "they recover throughout");
      else if (!scenario.forgets) assert.ok(afterwards.recovered > afterwards.afresh, "they recover again");
    });
  }
}

/** Makes tests of pairings in their small form: nobody is paired twice, and nobody is forgotten. */
export function meets(...names) {
  for (const name of names) {
    test(`pairings: ${PAIRINGS[name].title}`, { timeout: RUN_MAX }, async (t) => {
      const { people, pairings, doubled, lost, leftover, notOut, ...figures } = await meet(PAIRINGS[name], MEETING_SCALES.small);
      t.diagnostic(JSON.stringify({ people, pairings, ...figures }));
      assert.ok(pairings > 2 * people, "they keep meeting");
      assert.deepEqual({ doubled, lost, notOut }, { doubled: [], lost: [], notOut: [] });
      assert.deepEqual(leftover, { rooms: 0, waiting: 0 });
    });
  }
}
