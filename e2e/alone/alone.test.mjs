// What is only true of a server that is one process and has no others: a fleet that is tested in its place differs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, next, open, openAll, settled } from "../client.mjs";
import { startServer } from "../server.mjs";

let server;
before(async () => (server = await startServer()));
after(() => server.close());

test("a client notices a server that hangs, and comes back when it goes on", async (t) => {
  const own = await startServer({ PING_INTERVAL: "300", PING_TIMEOUT: "300" });
  t.after(() => own.close());
  const socket = await open(t, own.url, { reconnection: true, reconnectionDelay: 50 });
  const lost = next(socket, "disconnect");
  own.signal("SIGSTOP");
  const [reason] = await lost.finally(() => own.signal("SIGCONT"));
  assert.equal(reason, "ping timeout");
  await next(socket, "auth");
  assert.deepEqual(await ask(socket, "message-with-ack", "back"), ["back"]);
});

test("with no other node, a server-side event is heard by nobody and answered by nobody", async (t) => {
  for (const nsp of ["/", "/custom", "/dyn-1"]) {
    const [a, b] = await openAll(t, server.url, 2, { nsp });
    a.emit("server-side-emit", "sse", "hello");
    assert.deepEqual(await ask(a, "server-side-emit-ack", "sse-ack", "anyone"), [null, []]);
    assert.deepEqual(await settled(a, [a, b]), [[], []]);
  }
});
