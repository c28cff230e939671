#!/usr/bin/env node
// A fleet that looks like one fixture server: FIXTURE_BIN=fleet/fixture.mjs runs the whole suite against it. The nodes are
// the servers of NODE_BIN.

import { startFleet } from "./fleet.mjs";

const fleet = await startFleet(Number(process.env.PORT));
console.log(`listens on ${fleet.url}`);
process.once("SIGTERM", async () => {
  try {
    await fleet.close();
    process.exit(0);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
});
