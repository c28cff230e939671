// The table of docs/faults.md, a row for each scenario: what is there stays until the scenario is played again.

import { readFile, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { SCENARIOS } from "./scenarios.mjs";

const DOCUMENT = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../docs/faults.md");
const [BEGIN, END] = ["<!-- figures -->\n", "<!-- end of figures -->\n"];

const HEAD = [
  "fault",
  "lasts",
  "back to normal after",
  "lost",
  "twice or out of order",
  "connections broken: recovered, afresh",
  "the same, afterwards",
  "slowest message within a node",
  "liveness",
];

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** The cells of a scenario's row. */
export function row({ title }, figures) {
  const { faultMs, normalMs, whole, swallowed, during, afterwards, local } = figures;
  return [
    title,
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

const line = (cells) => `| ${cells.join(" | ")} |`;

/** The machine, in words. */
function machine() {
  const [{ model }] = os.cpus();
  return `${os.cpus().length} cores (${model.trim()}), ${Math.round(os.totalmem() / 2 ** 30)} GiB`;
}

/** Puts the figures of some scenarios into the document. */
export async function write(played) {
  const text = await readFile(DOCUMENT, "utf8");
  const [from, to] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
  if (from < BEGIN.length || to < 0) throw new Error(`${DOCUMENT} has no place for figures`);
  const rows = new Map(text.slice(from, to).split("\n").map((row) => [row.split(" | ")[0].replace("| ", ""), row]));
  for (const [name, figures] of played) rows.set(SCENARIOS[name].title, line(row(SCENARIOS[name], figures)));
  const table = Object.values(SCENARIOS).flatMap(({ title }) => rows.get(title) ?? []);
  const date = new Date().toISOString().slice(0, 10);
  const head = [`Measured on ${date}, ${machine()}:`, "", line(HEAD), line(HEAD.map(() => "---"))];
  await writeFile(DOCUMENT, `${text.slice(0, from)}${[...head, ...table].join("\n")}\n${text.slice(to)}`);
}
