// Clients in other languages: programs that print one line per check, `ok NAME` or `not ok NAME: WHY`.
// Each line becomes a test of its own; a program that prints none, or fails without a failed line, is a failure too.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { within } from "./deadline.mjs";

export const here = path.dirname(fileURLToPath(import.meta.url));

/** Milliseconds for a whole program: some of these clients are slow pollers. */
const PROGRAM_MAX = 90_000;

/** Runs a program to its end; gives back its exit code and everything that it printed. */
export async function run(program, args, { cwd = here, ms = PROGRAM_MAX } = {}) {
  const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (err += text));
  const ended = new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`cannot run ${program}: ${error.message}`)));
    child.once("close", (code) => resolve(code));
  });
  try {
    return { code: await within(ended, `the end of ${program}`, ms), out, err };
  } catch (error) {
    child.kill("SIGKILL");
    throw new Error(`${error.message}\n${out}${err}`);
  }
}

/** Runs a program of checks and reports each of its lines as a subtest of `t`. */
export async function checks(t, program, args) {
  const { code, out, err } = await run(program, args);
  const lines = out.split("\n").filter((line) => /^(not )?ok /.test(line));
  assert.ok(lines.length > 0, `no checks were run:\n${out}${err}`);
  for (const line of lines) {
    const [, failed, name, why] = /^(not )?ok (.*?)(?:: (.*))?$/.exec(line);
    await t.test(name, () => assert.ok(!failed, why));
  }
  assert.equal(code, lines.some((line) => line.startsWith("not")) ? 1 : 0, err);
}
