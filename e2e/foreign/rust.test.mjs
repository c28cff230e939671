// The `rust_socketio` client over every transport. See rust/src/main.rs for what it checks.

import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { TRANSPORTS } from "../client.mjs";
import { checks, here, run } from "../foreign.mjs";
import { startServer } from "../server.mjs";

/** Milliseconds that the client and its dependencies may take to build. */
const BUILD_MAX = 600_000;

let server;
let program;

before(async () => {
  const target = path.join(here, "../target/e2e-rust");
  const build = await run("cargo", ["build", "--quiet", "--locked", "--target-dir", target], {
    cwd: path.join(here, "rust"),
    ms: BUILD_MAX,
  });
  assert.equal(build.code, 0, build.output);
  program = path.join(target, "debug/throng-e2e-rust");
  server = await startServer();
});
after(() => server?.close());

describe("rust_socketio", () => {
  for (const transport of Object.keys(TRANSPORTS)) {
    test(transport, (t) => checks(t, program, [transport, server.url]));
  }
});
