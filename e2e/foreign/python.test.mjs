// The Python clients, synchronous and asyncio, over every transport. See python/checks.py for what they check.

import { after, before, test } from "node:test";
import { TRANSPORTS } from "../client.mjs";
import { checks } from "../foreign.mjs";
import { startServer } from "../server.mjs";

let server;
// When this client disconnects in the wrong moment it waits for its poll, and so for the next ping.
before(async () => (server = await startServer({ PING_INTERVAL: "1000", PING_TIMEOUT: "8000" })));
after(() => server.close());

for (const kind of ["sync", "asyncio"]) {
  for (const transport of Object.keys(TRANSPORTS)) {
    test(`python-socketio ${kind}, ${transport}`, (t) =>
      checks(t, ".venv/bin/python", ["python/checks.py", kind, transport, server.url]));
  }
}
