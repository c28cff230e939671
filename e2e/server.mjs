// Starts a server under test as a child process on a free port, watches it for the length of a test file, and ends it.
// It knows how such a program is started and the line with its address, and nothing of sockets.

import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { within } from "./deadline.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));

/** Milliseconds that a server has to print its address. */
const START_MAX = 10_000;

/** How each of the programs says where it listens; a node of a fleet names other addresses too. */
const LISTENS = /(?:fixture on |listens on http:\/\/|"message":"listening","address":")127\.0\.0\.1:(\d+)/;

/** The fixture server: FIXTURE_BIN, relative to e2e/, or the release build of the `conformance` example. */
const FIXTURE = { program: process.env.FIXTURE_BIN ?? "../target/release/examples/conformance", args: ["fixture"] };

/** The shipped binary: THRONG_BIN, relative to e2e/, or its release build. */
export const PRODUCT = { program: process.env.THRONG_BIN ?? "../target/release/throng", args: ["serve"] };

/**
 * Runs a server, the fixture unless told otherwise, with extra environment variables until `close()`.
 *
 * `close()` gives back how the server ended, and fails when it reported a panic meanwhile. A server that ends by itself
 * ends the test file.
 */
export async function startServer(env = {}, { program: relative, args } = FIXTURE) {
  const program = path.resolve(here, relative);
  const child = spawn(program, args, {
    env: { ...process.env, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let closing = false;
  const exited = new Promise((resolve) => child.once("close", (code, signal) => resolve(signal ?? code)));
  child.once("error", (error) => {
    output += `cannot start ${program}: ${error.message}; build it with cargo build --release --bins --examples\n`;
  });
  exited.then((how) => {
    if (closing) return;
    // Every test that is left would fail, and most of them slowly.
    console.error(`the server ended by itself (${how}):\n${output}`);
    process.exit(1);
  });
  const listening = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
        const found = LISTENS.exec(output);
        if (found) resolve(Number(found[1]));
      });
    }
  });
  const port = await within(listening, `the address of ${program}`, START_MAX);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    /** Everything that it has printed so far. */
    log: () => output,
    /** Stops or continues the process, to play a server that hangs. */
    signal: (name) => child.kill(name),
    async close(signal = "SIGTERM") {
      closing = true;
      child.kill(signal);
      const how = await exited;
      if (output.includes("panicked")) throw new Error(`the server panicked:\n${output}`);
      return how;
    },
  };
}
