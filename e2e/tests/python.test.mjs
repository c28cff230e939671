// The Python clients, synchronous and asyncio, over every transport. See python/checks.py for what they check.

import { after, before, test } from "node:test";
import { TRANSPORTS } from "../client.mjs";
import { checks } from "../foreign.mjs";
import { startServer } from "../server.mjs";

let server;
before(async () => (server = await startServer()));
after(() => server.close());

for (const kind of ["sync", "asyncio"]) {
  for (const transport of Object.keys(TRANSPORTS)) {
    test(`python-socketio ${kind}, ${transport}`, (t) =>
      checks(t, ".venv/bin/python", ["python/checks.py", kind, transport, server.url]));
  }
}
