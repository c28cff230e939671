#!/usr/bin/env node
// Plays scenarios at full size and prints what came of each: `node e2e/faults/run.mjs [--small] [scenario...]`, all of them
// without a name. Figures of full size go into the table of docs/faults.md.

import { SCENARIOS } from "./scenarios.mjs";
import { SCALES, play } from "./stage.mjs";
import { row, write } from "./table.mjs";

const args = process.argv.slice(2);
const isSmall = args.includes("--small");
const named = args.filter((arg) => !arg.startsWith("--"));
const unknown = named.filter((name) => !SCENARIOS[name]);
if (unknown.length > 0) {
  console.error(`${unknown.join(", ")}: there is ${Object.keys(SCENARIOS).join(", ")}`);
  process.exit(64);
}
for (const name of named.length > 0 ? named : Object.keys(SCENARIOS)) {
  const figures = await play(SCENARIOS[name], isSmall ? SCALES.small : SCALES.full);
  console.log(`${name}: ${row(SCENARIOS[name], figures).slice(1).join(" | ")}\n${JSON.stringify(figures)}`);
  if (!isSmall) await write([[name, figures]]);
}
