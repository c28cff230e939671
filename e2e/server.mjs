// Starts a server under test as a child process on a free port, watches it for the length of a test file, and ends it.
// It knows how such a program is started and the line with its address, and nothing of sockets.

import path from "node:path";
import { fileURLToPath } from "node:url";
import { end, spawn } from "./children.mjs";
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
  let closing = false;
  child.gone.then((how) => {
    if (closing) return;
    // Every test that is left would fail, and most of them slowly.
    console.error(`the server ended by itself (${how}):\n${child.output}`);
    console.error(`It is built with cargo build --release --bins --examples.`);
    process.exit(1);
  });
  const listening = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", () => {
        const found = LISTENS.exec(child.output);
        if (found) resolve(Number(found[1]));
      });
    }
  });
  const port = await within(listening, `the address of ${program}`, START_MAX);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    /** Everything that it has printed so far. */
    log: () => child.output,
    /** Stops or continues the process, to play a server that hangs. */
    signal: (name) => child.kill(name),
    async close(signal = "SIGTERM") {
      closing = true;
      const how = await end(child, signal);
      if (child.output.includes("panicked")) throw new Error(`the server panicked:\n${child.output}`);
      return how;
    },
  };
}
