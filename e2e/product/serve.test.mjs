// The shipped binary with the published client: the client bundle that it serves, its main job, its probes, its end.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import vm from "node:vm";
import { WebSocket } from "ws";
import { TRANSPORTS, ask, create, next } from "../client.mjs";
import { within } from "../deadline.mjs";
import { request } from "../polling.mjs";
import { PRODUCT, startServer } from "../server.mjs";

let server;
before(async () => (server = await startServer({}, PRODUCT)));
after(async () => assert.equal(await server.close(), 0));

test("the client bundle that it serves is the published one, and connects to it", async (t) => {
  const script = await request(server.url, "/socket.io/socket.io.js");
  assert.equal(script.status, 200, "build the pages first: cd web && npm ci && npm run build");
  assert.match(script.headers["content-type"], /javascript/);
  assert.match(script.body, /Socket\.IO v4\./);
  const page = vm.createContext({ WebSocket, setTimeout, clearTimeout, console, TextEncoder, TextDecoder, URL });
  page.self = page.window = page;
  vm.runInContext(script.body, page);
  const socket = page.io(`${server.url}/debate`, { transports: ["websocket"], reconnection: false });
  t.after(() => socket.disconnect());
  await next(socket, "connect");
});

for (const transport of Object.keys(TRANSPORTS)) {
  test(`two strangers are paired and talk over ${transport}`, async (t) => {
    const topic = `tabs or spaces, over ${transport}`;
    const people = ["for", "against"].map((side) => {
      const socket = create(t, server.url, { transport, nsp: "/debate" });
      return { side, socket, joined: next(socket, "room:joined") };
    });
    for (const { side, socket } of people) {
      assert.equal((await ask(socket, "queue:join", { topic, side }))[0].ok, true);
    }
    const [[one], [other]] = await Promise.all(people.map(({ joined }) => joined));
    assert.equal(one.room, other.room);
    assert.deepEqual([one.side, other.side], ["for", "against"]);

    const [first, second] = people.map(({ socket }) => socket);
    const heard = next(second, "room:message");
    assert.equal((await ask(first, "room:message", { text: "  hello, 世界  " }))[0].ok, true);
    const [message] = await heard;
    assert.deepEqual([message.text, message.from], ["hello, 世界", "partner"]);
    assert.equal((await ask(first, "room:message", { text: " " }))[0].error.code, "invalid_text");

    const ended = next(second, "room:ended");
    assert.equal((await ask(first, "room:leave", {}))[0].ok, true);
    assert.equal((await ended)[0].reason, "left");
  });
}

describe("probes", () => {
  for (const path of ["/health", "/ready"]) {
    test(`${path} answers 200`, async () => assert.equal((await request(server.url, path)).status, 200));
  }

  test("/metrics counts", async () => {
    const { status, headers, body } = await request(server.url, "/metrics");
    assert.equal(status, 200);
    assert.match(headers["content-type"], /^text\/plain/);
    assert.match(body, /^throng_connections_accepted_total [1-9]/m);
  });
});

test("SIGTERM ends every client's session, and the exit code is 0", async (t) => {
  const own = await startServer({}, PRODUCT);
  const sockets = Object.keys(TRANSPORTS).map((transport) => create(t, own.url, { transport, nsp: "/debate" }));
  await Promise.all(sockets.map((socket) => next(socket, "connect")));
  const ends = sockets.map((socket) => next(socket, "disconnect"));
  assert.equal(await within(own.close(), "the exit", 20_000), 0);
  for (const [reason] of await Promise.all(ends)) {
    assert.match(reason, /^(io server disconnect|transport close|transport error)$/);
  }
});
