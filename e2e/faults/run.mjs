#!/usr/bin/env node
// Plays scenarios at full size and prints what came of each: `node e2e/faults/run.mjs [--small] [scenario...]`, all of them
// without a name. Figures of full size go into the tables of docs/faults.md.

import { PAIRINGS, SCALES as MEETING_SCALES, meet } from "./pairings.mjs";
import { SCENARIOS } from "./scenarios.mjs";
import { SCALES, play } from "./stage.mjs";
import { MEETINGS, MESSAGES, write } from "./table.mjs";

const args = process.argv.slice(2);
const size = args.includes("--small") ? "small" : "full";
const named = args.filter((arg) => !arg.startsWith("--"));
const all = [...Object.keys(SCENARIOS), ...Object.keys(PAIRINGS)];
const unknown = named.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`${unknown.join(", ")}: there is ${all.join(", ")}`);
  process.exit(64);
}
for (const name of named.length > 0 ? named : all) {
  const [table, figures] = SCENARIOS[name]
    ? [MESSAGES, await play(SCENARIOS[name], SCALES[size])]
    : [MEETINGS, await meet(PAIRINGS[name], MEETING_SCALES[size])];
  console.log(`${name}: ${table.cells(figures).join(" | ")}\n${JSON.stringify(figures)}`);
  if (size === "full") await write(table, name, figures);
}
