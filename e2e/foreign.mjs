// Clients in other languages: programs that print one line per check, `ok NAME` or `not ok NAME: WHY`.
// Each line becomes a test of its own; a program that prints none, or fails without a failed line, is a failure too.

import assert from "node:assert/strict";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ended, spawn } from "./children.mjs";

export const here = path.dirname(fileURLToPath(import.meta.url));

/** Milliseconds for a whole program: some of these clients are slow pollers. */
const PROGRAM_MAX = 90_000;

/** Runs a program to its end; gives back its exit code and everything that it printed. */
export async function run(program, args, { cwd = here, ms = PROGRAM_MAX } = {}) {
  const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  child.stdout.on("data", (text) => (out += text));
  return { code: await ended(child, ms), out, output: child.output };
}

/** Runs a program of checks and reports each of its lines as a subtest of `t`. */
export async function checks(t, program, args) {
  const { code, out, output } = await run(program, args);
  const lines = out.split("\n").filter((line) => /^(not )?ok /.test(line));
  assert.ok(lines.length > 0, `no checks were run:\n${output}`);
  for (const line of lines) {
    const [, failed, name, why] = /^(not )?ok (.*?)(?:: (.*))?$/.exec(line);
    await t.test(name, () => assert.ok(!failed, why));
  }
  assert.equal(code, lines.some((line) => line.startsWith("not")) ? 1 : 0, output);
}
