// Namespaces: several on one connection, dynamic ones, a guarded one, unknown ones.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Manager as Manager4 } from "socket.io-client";
import { Manager as Manager3 } from "socket.io-client-3";
import { EVERY_CLIENT, TRANSPORTS, ask, create, next, open } from "../client.mjs";
import { startServer } from "../server.mjs";

let server;
before(async () => (server = await startServer()));
after(() => server.close());

for (const [label, { client, transport }] of EVERY_CLIENT) {
  describe(label, () => {
    const manager = (t) => {
      const Manager = client === "4.x" ? Manager4 : Manager3;
      const shared = new Manager(server.url, { transports: TRANSPORTS[transport], reconnection: false });
      t.after(() => shared._close());
      return shared;
    };

    test("several namespaces share one connection and stay apart", async (t) => {
      const shared = manager(t);
      const names = ["/", "/custom", "/dyn-1", "/dyn-22"];
      const sockets = names.map((nsp) => shared.socket(nsp, { auth: { from: nsp } }));
      const greetings = await Promise.all(sockets.map((socket) => next(socket, "auth")));
      assert.deepEqual(
        greetings,
        names.map((from) => [{ from }]),
      );
      assert.equal(new Set(sockets.map(({ id }) => id)).size, names.length);
      const backs = sockets.map((socket) => next(socket, "message-back"));
      sockets.forEach((socket, i) => socket.emit("message", names[i], Buffer.from([i])));
      assert.deepEqual(
        await Promise.all(backs),
        names.map((name, i) => [name, Buffer.from([i])]),
      );
    });

    test("leaving one namespace keeps the others", async (t) => {
      const shared = manager(t);
      const [main, custom] = [shared.socket("/"), shared.socket("/custom")];
      await Promise.all([next(main, "auth"), next(custom, "auth")]);
      main.disconnect();
      assert.deepEqual(await ask(custom, "message-with-ack", "on"), ["on"]);
      main.connect();
      await next(main, "auth");
      assert.deepEqual(await ask(main, "message-with-ack", "back"), ["back"]);
    });

    test("a kick from one namespace keeps the others", async (t) => {
      const shared = manager(t);
      const [main, custom] = [shared.socket("/"), shared.socket("/custom")];
      await Promise.all([next(main, "auth"), next(custom, "auth")]);
      custom.emit("kick", false);
      assert.equal((await next(custom, "disconnect"))[0], "io server disconnect");
      assert.deepEqual(await ask(main, "message-with-ack", "on"), ["on"]);
    });

    test("a kick that closes the session ends every namespace of it", async (t) => {
      const shared = manager(t);
      const [main, custom] = [shared.socket("/"), shared.socket("/custom")];
      await Promise.all([next(main, "auth"), next(custom, "auth")]);
      const ends = [next(main, "disconnect"), next(custom, "disconnect")];
      custom.emit("kick", true);
      for (const [reason] of await Promise.all(ends)) assert.equal(reason, "io server disconnect");
    });

    test("a refusal carries its message and data, and leaves the others alone", async (t) => {
      const shared = manager(t);
      const main = shared.socket("/");
      await next(main, "auth");
      const attempts = [{}, { token: "wrong" }, { token: 1 }, { token: ["secret"] }, { token: "secret" }];
      const admin = shared.socket("/admin", { auth: (send) => send(attempts[0]) });
      while (attempts.length > 1) {
        const [error] = await next(admin, "connect_error");
        assert.equal(error.message, "not authorized");
        assert.deepEqual(error.data, { code: "E_AUTH" });
        assert.equal(admin.connected, false);
        attempts.shift();
        admin.connect();
      }
      assert.deepEqual(await next(admin, "auth"), [{ token: "secret" }]);
      assert.deepEqual(await ask(main, "message-with-ack", "on"), ["on"]);
    });

    test("an unknown namespace is refused as invalid", async (t) => {
      for (const nsp of ["/unknown", "/dyn-", "/dyn-x", "/dyn-1x", "/x/dyn-1", "/Custom", "/custom/"]) {
        const socket = create(t, server.url, { client, transport, nsp });
        const [error] = await next(socket, "connect_error");
        assert.equal(error.message, "Invalid namespace", nsp);
      }
    });
  });
}

test("a client may join a guarded namespace on its second attempt", async (t) => {
  const socket = create(t, server.url, { nsp: "/admin", auth: { token: "wrong" } });
  await next(socket, "connect_error");
  socket.auth = { token: "secret" };
  socket.connect();
  await next(socket, "connect");
  assert.deepEqual((await ask(socket, "whoami"))[0].auth, { token: "secret" });
});

test("auth may be a function, asked again for every connection", async (t) => {
  let calls = 0;
  const socket = await open(t, server.url, { auth: (send) => send({ call: ++calls }) });
  assert.deepEqual(socket.log[0], ["auth", { call: 1 }]);
  socket.disconnect().connect();
  assert.deepEqual(await next(socket, "auth"), [{ call: 2 }]);
});

test("dynamic namespaces with different names do not hear each other", async (t) => {
  const [one, two] = await Promise.all([
    open(t, server.url, { nsp: "/dyn-1" }),
    open(t, server.url, { nsp: "/dyn-2" }),
  ]);
  one.emit("broadcast", "said");
  assert.equal((await ask(one, "whoami"))[0].nsp, "/dyn-1");
  assert.equal((await ask(two, "whoami"))[0].nsp, "/dyn-2");
  assert.deepEqual(two.log.length, 1);
});
