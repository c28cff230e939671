// How a socket ends: the reason that the client sees, and the one that the server's handlers see.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { EVERY_CLIENT, ask, freshRoom, next, open } from "../client.mjs";
import { within } from "../deadline.mjs";
import { Frames } from "../frames.mjs";
import { startServer } from "../server.mjs";

let server;
before(async () => (server = await startServer()));
after(() => server.close());

/** A socket in `watchers` that tells what the server's handlers saw of the socket `id`: `{rooms, reason}`. */
async function watch(t, id) {
  const watcher = await open(t, server.url);
  await ask(watcher, "join", "watchers");
  const seen = (event) =>
    new Promise((resolve) => watcher.on(event, (who, what) => who === id && resolve([what, watcher.log.length])));
  const [disconnecting, disconnect] = [seen("peer-disconnecting"), seen("peer-disconnect")];
  return async () => {
    const [rooms, first] = await within(disconnecting, "disconnecting");
    const [reason, second] = await within(disconnect, "disconnect");
    assert.ok(first < second, "disconnecting comes before disconnect");
    return { rooms, reason };
  };
}

for (const [label, client] of EVERY_CLIENT) {
  describe(label, () => {
    test("the client disconnects", async (t) => {
      const socket = await open(t, server.url, client);
      const { id } = socket;
      const seen = await watch(t, id);
      const room = freshRoom();
      await ask(socket, "join", room);
      const [reason] = await Promise.all([next(socket, "disconnect"), socket.disconnect()]);
      assert.equal(reason[0], "io client disconnect");
      assert.deepEqual(await seen(), { rooms: [id, room].sort(), reason: "client namespace disconnect" });
    });

    for (const close of [false, true]) {
      test(`the server kicks, ${close ? "closing the session" : "keeping the session"}`, async (t) => {
        const socket = await open(t, server.url, client);
        const { id } = socket;
        const seen = await watch(t, id);
        socket.emit("kick", close);
        assert.equal((await next(socket, "disconnect"))[0], "io server disconnect");
        assert.deepEqual(await seen(), { rooms: [id], reason: "server namespace disconnect" });
      });
    }

    test("the transport is dropped", async (t) => {
      const socket = await open(t, server.url, client);
      const seen = await watch(t, socket.id);
      socket.emit("drop");
      assert.equal((await next(socket, "disconnect"))[0], "transport close");
      assert.match((await seen()).reason, /^(transport close|forced close)$/);
    });

    test("the client closes its engine", async (t) => {
      const socket = await open(t, server.url, client);
      const seen = await watch(t, socket.id);
      socket.io.engine.close();
      assert.equal((await seen()).reason, "transport close");
    });

    // Client 3.x cannot reopen a socket while its manager is still closing.
    if (client.client === "4.x") {
      test("the same socket connects again after each end", async (t) => {
        for (const end of [["kick", false], ["kick", true], ["drop"]]) {
          const socket = await open(t, server.url, client);
          socket.emit(...end);
          await next(socket, "disconnect");
          socket.connect();
          await next(socket, "auth");
          assert.deepEqual(await ask(socket, "message-with-ack", ...end), end);
        }
      });
    }
  });
}

describe("by hand, over WebSocket", () => {
  test("a broken connection is a transport close", async (t) => {
    const frames = await Frames.join(t, server.url);
    const who = await identify(frames);
    const seen = await watch(t, who);
    frames.socket.terminate();
    assert.equal((await seen()).reason, "transport close");
  });

  test("an Engine.IO packet of unknown type is a parse error", async (t) => {
    const frames = await Frames.join(t, server.url);
    const seen = await watch(t, await identify(frames));
    frames.send("abc");
    await frames.end();
    assert.equal((await seen()).reason, "parse error");
  });
});

/** The socket id behind a hand-made session. */
async function identify(frames) {
  frames.send('420["whoami"]');
  return JSON.parse((await frames.readUntil("430")).slice(3))[0].id;
}

const PLACEHOLDER = '{"_placeholder":true,"num":0}';

/** Socket.IO packets that no client may send, each with what is wrong about it. */
const MALFORMED = {
  "an unknown packet type": ["49"],
  "no packet type": ["4"],
  "text where a packet belongs": ["4abc"],
  "an event that is not a list": ["42{}"],
  "an event without a name": ["42[]"],
  "an event whose name is an object": ["42[{}]"],
  "an event whose JSON is cut": ['42["message"'],
  "an event with a client's reserved name": ['42["connect"]'],
  "an event with a server's reserved name": ['42["disconnecting"]'],
  "an acknowledgement that is not a list": ['431{"a":1}'],
  "an acknowledgement id that is no number": ['42abc["message"]'],
  "a disconnect with data": ["41{}"],
  "a connect whose auth is a list": ["40/custom,[]"],
  "a connect whose auth is text": ['40/custom,"x"'],
  "a second connect to a joined namespace": ["40"],
  "an event for a namespace never joined": ['42/custom,["message"]'],
  "an attachment count that is missing": [`45-["message",${PLACEHOLDER}]`],
  "an attachment count that is no number": [`45x-["message",${PLACEHOLDER}]`],
  "an attachment out of range": ['451-["message",{"_placeholder":true,"num":7}]', Buffer.from([1])],
  "an attachment with a number below zero": ['451-["message",{"_placeholder":true,"num":-1}]', Buffer.from([1])],
  "an attachment with a number as text": ['451-["message",{"_placeholder":true,"num":"0"}]', Buffer.from([1])],
  "text where an attachment belongs": [`451-["message",${PLACEHOLDER}]`, '42["message"]'],
  "an attachment that was not announced": [Buffer.from([1, 2, 3])],
};

describe("a malformed Socket.IO packet ends the session", () => {
  for (const [what, packets] of Object.entries(MALFORMED)) {
    test(what, async (t) => {
      const frames = await Frames.join(t, server.url);
      const seen = await watch(t, await identify(frames));
      for (const packet of packets) frames.send(packet);
      await frames.end();
      assert.match((await seen()).reason, /^(parse error|forced close|transport error)$/);
    });
  }

  test("and the server goes on", async (t) => {
    const socket = await open(t, server.url);
    assert.deepEqual(await ask(socket, "message-with-ack", "fine"), ["fine"]);
  });
});

test("an event that nobody handles, and an answer that nobody awaits, are ignored", async (t) => {
  const frames = await Frames.join(t, server.url);
  for (const packet of ['42["nobody-listens",1]', "42[7]", '42["nobody-listens",{}]', "43999[1]", '427["nobody"]']) {
    frames.send(packet);
  }
  frames.send('420["message-with-ack","fine"]');
  assert.equal(await frames.readUntil("43"), '430["fine"]');
});
