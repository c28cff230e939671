#!/usr/bin/env node
// Plays scenarios at full size and prints what came of each: `node e2e/faults/run.mjs [--small] [scenario...]`, all without a name.
// Figures of full size go into the table of docs/faults.md.

import { SCENARIOS } from "./scenarios.mjs";
import { SCALES, play } from "./stage.mjs";

const args = process.argv.slice(2);
const scale = args.includes("--small") ? SCALES.small : SCALES.full;
const named = args.filter((arg) => !arg.startsWith("--"));
for (const name of named.length > 0 ? named : Object.keys(SCENARIOS)) {
  const figures = await play(SCENARIOS[name], scale);
  console.log(name, JSON.stringify(figures));
}
process.exit(0);
