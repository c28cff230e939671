// Copies the official Socket.IO client bundles into the build, where a node serves them at /socket.io/socket.io.js and
// its siblings, as a Node.js server does. The page itself does not load them: its script has the client built in.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

const SCRIPTS = ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js"];

/** A build plugin that adds `socket.io/<script>` and `socket.io/<script>.map` for each published client bundle. */
export function clientBundle(): Plugin {
  return {
    name: "socket.io-client-bundle",
    apply: "build",
    generateBundle() {
      const manifest = createRequire(import.meta.url).resolve("socket.io-client/package.json");
      for (const name of SCRIPTS.flatMap((script) => [script, `${script}.map`])) {
        const source = readFileSync(join(dirname(manifest), "dist", name));
        this.emitFile({ type: "asset", fileName: `socket.io/${name}`, source });
      }
    },
  };
}
