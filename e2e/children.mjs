// The programs that tests run. None outlives the test file that started it, however that ends, and every end has a deadline.

import child_process from "node:child_process";
import { within } from "./deadline.mjs";

/** Milliseconds that a program has to end once it was told to, with all that it has to finish. */
const END_MAX = 60_000;

/** Those that are running. */
const children = new Set();

process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});
// What a runner sends to a test file that takes too long.
process.once("SIGTERM", () => process.exit(143));

/** Starts a program; `output` is everything that it says to pipes, and `gone` its exit code or signal, or why it cannot run. */
export function spawn(program, args, options) {
  const child = child_process.spawn(program, args, options);
  children.add(child);
  child.output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text) => (child.output += text));
  }
  child.gone = new Promise((resolve) => {
    child.once("error", (error) => resolve(`${program}: ${error.message}`));
    // With pipes, once they are read to their end.
    child.once(child.stdout || child.stderr ? "close" : "exit", (code, signal) => resolve(signal ?? code));
  });
  child.gone.then(() => children.delete(child));
  return child;
}

/** Waits for how a program ends. One that is too late is killed, and that is a failure. */
export async function ended(child, ms = END_MAX) {
  try {
    return await within(child.gone, `the end of ${child.spawnfile}`, ms);
  } catch (error) {
    child.kill("SIGKILL");
    throw new Error(`${error.message}:\n${child.output}`);
  }
}

/** Ends a program by a signal. */
export function end(child, signal) {
  child.kill(signal);
  return ended(child);
}
