// Starts the server under test as a child process on a free port, watches it for the length of a test file, and ends it.
// It knows the contract of a fixture server (argument, environment, the line with the address) and nothing of sockets.

import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));

/** Milliseconds that a server has to print its address. */
const START_MAX = 10_000;

/** The program under test: FIXTURE_BIN, relative to e2e/, or the release build of the `conformance` example. */
export const program = path.resolve(here, process.env.FIXTURE_BIN ?? "../target/release/examples/conformance");

/**
 * Runs the fixture server with extra environment variables until `close()`.
 *
 * `close()` fails when the server ended by itself or reported a panic meanwhile: no test may break it.
 */
export async function startServer(env = {}) {
  const child = spawn(program, ["fixture"], {
    env: { ...process.env, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const exited = new Promise((resolve) => child.once("close", (code, signal) => resolve(signal ?? code)));
  const failed = once(child, "error").then(([error]) => {
    throw new Error(`cannot start ${program}: ${error.message}; build it with cargo build --release --example conformance`);
  });
  failed.catch(() => {});
  const ended = exited.then((how) => {
    throw new Error(`the server ended (${how}) before it listened:\n${output}`);
  });
  ended.catch(() => {});
  const port = await Promise.race([
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no address within ${START_MAX} ms:\n${output}`)), START_MAX);
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text) => {
          output += text;
          const found = /127\.0\.0\.1:(\d+)/.exec(output);
          if (found) {
            clearTimeout(late);
            resolve(Number(found[1]));
          }
        });
      }
    }),
    failed,
    ended,
  ]);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    /** Stops or continues the process, to play a server that hangs. */
    signal: (name) => child.kill(name),
    async close() {
      const early = child.exitCode ?? child.signalCode;
      child.kill("SIGTERM");
      await exited;
      if (early !== null) throw new Error(`the server ended by itself (${early}):\n${output}`);
      if (output.includes("panicked")) throw new Error(`the server panicked:\n${output}`);
    },
  };
}
