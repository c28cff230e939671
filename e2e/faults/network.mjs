// The network between a node and its Redis, as the proxy of the `testkit` crate plays it.

import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ended, spawn } from "../children.mjs";
import { within } from "../deadline.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));

/** The proxy: PROXY_BIN, relative to e2e/, or the release build of the `proxy` example. */
const PROXY = path.resolve(here, "..", process.env.PROXY_BIN ?? "../target/release/examples/proxy");

/** Starts a network between whoever connects to its `url` and a server on a port of this machine. */
export async function startNetwork(port) {
  const child = spawn(PROXY, [`127.0.0.1:${port}`], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = [];
  const gone = child.gone.then((how) => {
    throw new Error(`the proxy ended (${how})`);
  });
  gone.catch(() => {});
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.(line));
  const line = (what) => within(Promise.race([new Promise((resolve) => waiting.push(resolve)), gone]), what);
  const order = async (text) => {
    const done = line(text);
    child.stdin.write(`${text}\n`);
    await done;
  };
  const [, address] = /on (\S+)/.exec(await line("the address of the proxy"));
  return {
    url: `redis://${address}`,
    /** Everything arrives so many milliseconds later, each way; 0 is fair weather. */
    delay: (ms) => order(`delay ${ms}`),
    /** Nothing arrives, nothing breaks. */
    silence: () => order("silent"),
    /** All connections break, and new ones do at once. */
    cut: () => order("cut"),
    async close() {
      child.stdin.end();
      await ended(child);
    },
  };
}
