// The tables of docs/faults.md, a row for each scenario: what is there stays until the scenario is played again.

import { readFile, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { PAIRINGS } from "./pairings.mjs";
import { SCENARIOS } from "./scenarios.mjs";

const DOCUMENT = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../docs/faults.md");

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** What everybody hears: between which marks the table is, its scenarios, its head, and the cells of a row after the title. */
export const MESSAGES = {
  mark: "figures",
  scenarios: SCENARIOS,
  head: [
    "lasts",
    "back to normal after",
    "lost",
    "twice or out of order",
    "connections broken: recovered, afresh",
    "the same, afterwards",
    "slowest message within a node",
    "liveness",
  ],
  cells: heard,
};

/** Who meets whom. */
export const MEETINGS = {
  mark: "pairings",
  scenarios: PAIRINGS,
  head: [
    "lasts",
    "pairings in all",
    "doubled",
    "lost",
    "back to normal after",
    "longest time without one",
    "rooms that ended by the fault alone",
    "rooms at its beginning",
    "rooms left again",
    "rooms that came back",
  ],
  cells: paired,
};

function heard(figures) {
  const { faultMs, normalMs, whole, swallowed, during, afterwards, local } = figures;
  return [
    seconds(faultMs),
    seconds(normalMs),
    `${whole.lost + swallowed}`,
    `${whole.twice + whole.disorder}`,
    `${during.recovered}, ${during.afresh}`,
    `${afterwards.recovered}, ${afterwards.afresh}`,
    `${local.worstMs} ms${local.silent > 0 ? `, ${local.silent} of them late` : ""}`,
    local.deaf === 0 ? "up" : `${local.deaf} times no answer`,
  ];
}

function paired({ faultMs, pairings, doubled, lost, leftover, normalMs, longestMs, endedByFault, roomsOn, leftAgain, cameBack }) {
  return [
    seconds(faultMs),
    `${pairings}`,
    `${doubled.length}`,
    `${lost.length + leftover.rooms + leftover.waiting}`,
    seconds(normalMs),
    seconds(longestMs),
    `${endedByFault.length}`,
    `${roomsOn}`,
    `${leftAgain}`,
    `${cameBack}`,
  ];
}

const line = (cells) => `| ${cells.join(" | ")} |`;

/** The machine, in words. */
function machine() {
  const [{ model }] = os.cpus();
  return `${os.cpus().length} cores (${model.trim()}), ${Math.round(os.totalmem() / 2 ** 30)} GiB`;
}

/** Puts the figures of a scenario into its table in the document. */
export async function write({ mark, scenarios, head, cells }, name, figures) {
  const text = await readFile(DOCUMENT, "utf8");
  const [begin, end] = [`<!-- ${mark} -->\n`, `<!-- end of ${mark} -->\n`];
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  if (from < begin.length || to < 0) throw new Error(`${DOCUMENT} has no place for ${mark}`);
  const rows = new Map(text.slice(from, to).split("\n").map((row) => [row.split(" | ")[0].replace("| ", ""), row]));
  rows.set(scenarios[name].title, line([scenarios[name].title, ...cells(figures)]));
  const table = Object.values(scenarios).flatMap(({ title }) => rows.get(title) ?? []);
  const date = new Date().toISOString().slice(0, 10);
  const all = ["fault", ...head];
  const above = [`Measured on ${date}, ${machine()}:`, "", line(all), line(all.map(() => "---"))];
  await writeFile(DOCUMENT, `${text.slice(0, from)}${[...above, ...table].join("\n")}\n${text.slice(to)}`);
}
