// A node to test against: the binary of THRONG_BIN on a free port of its own, or the one that THRONG_URL names.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

/** True when the tests own the node, and so may stop it. */
export const ownsServer = process.env.THRONG_BIN !== undefined;

/**
 * Starts a node and resolves when it listens: `url` without a trailing slash, `stop` sends SIGTERM and waits. A node of one's
 * own is configured with `settings`, in TOML.
 */
export async function startServer(settings = "") {
  if (process.env.THRONG_BIN === undefined) {
    if (process.env.THRONG_URL === undefined) {
      throw new Error("Set THRONG_BIN to the path of the throng binary, or THRONG_URL to a node that is running.");
    }
    return { url: process.env.THRONG_URL.replace(/\/$/, ""), stop: async () => {} };
  }
  const folder = await mkdtemp(path.join(os.tmpdir(), "throng-browser-"));
  const config = path.join(folder, "throng.toml");
  await writeFile(config, settings);
  const args = ["serve", "--config", config, "--host", "127.0.0.1", "--port", "0"];
  const child = spawn(process.env.THRONG_BIN, args, { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
    await rm(folder, { recursive: true });
  };
  const address = await Promise.race([
    listening(child.stdout),
    listening(child.stderr),
    exited.then(([code]) => Promise.reject(new Error(`The node exited with ${code} before it listened.`))),
  ]);
  return { url: `http://${address}`, stop };
}

// The log line of a node that listens names its address, as a JSON field or as a URL. The stream is read to its end, so
// that the node never waits for a full pipe.
function listening(stream) {
  return new Promise((resolve) => {
    createInterface({ input: stream }).on("line", (line) => {
      const found = /"address":\s*"([^"]+:\d+)"/.exec(line) ?? /http:\/\/(127\.0\.0\.1:\d+)/.exec(line);
      if (found) resolve(found[1]);
    });
  });
}
