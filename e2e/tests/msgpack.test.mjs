// The msgpack parser, as the npm package `socket.io-msgpack-parser` speaks it, with both clients that can use it.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import * as parser from "socket.io-msgpack-parser";
import { EVERY_CLIENT, NAMESPACES, ask, create, freshRoom, next, open, openAll, settled } from "../client.mjs";
import { Frames } from "../frames.mjs";
import { startServer } from "../server.mjs";

let server;
before(async () => (server = await startServer({ PARSER: "msgpack" })));
after(() => server.close());

const ARGUMENTS = [
  0,
  -1,
  127,
  128,
  -32,
  -33,
  65_536,
  2 ** 32,
  -(2 ** 31) - 1,
  Number.MAX_SAFE_INTEGER,
  1.5,
  -1.7e-300,
  "",
  "text",
  "ü".repeat(200),
  "😀".repeat(200),
  true,
  false,
  null,
  [],
  {},
  Array.from({ length: 100 }, (_, i) => i),
  Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key ${i}`, { i: [i] }])),
  Buffer.alloc(0),
  Buffer.from([1, 2, 3]),
  { deep: [{ bytes: Buffer.alloc(300, 7) }, Buffer.alloc(70_000, 8)] },
];

for (const [label, only] of EVERY_CLIENT) {
  describe(label, () => {
    const client = { ...only, parser: "msgpack" };

    for (const [nsp, auth] of Object.entries(NAMESPACES)) {
      test(`values of every kind come back on ${nsp}`, async (t) => {
        const socket = await open(t, server.url, { ...client, nsp, auth });
        assert.deepEqual(socket.log, [["auth", auth]]);
        assert.deepEqual(await ask(socket, "message-with-ack", ...ARGUMENTS), ARGUMENTS);
        socket.emit("message", ...ARGUMENTS);
        assert.deepEqual(await next(socket, "message-back"), ARGUMENTS);
      });
    }

    test("a date comes back as a date", async (t) => {
      const socket = await open(t, server.url, client);
      for (const date of [new Date(0), new Date(1_700_000_000_123), new Date(2 ** 34 * 1000), new Date(-1)]) {
        assert.deepEqual(await ask(socket, "message-with-ack", { date }), [{ date }]);
      }
    });

    test("whoami, refusals and rooms work as with the default parser", async (t) => {
      const [a, b] = await openAll(t, server.url, 2, client);
      assert.equal((await ask(a, "whoami"))[0].id, a.id);
      const room = freshRoom();
      await ask(b, "join", room);
      a.emit("to-room", room, "said", Buffer.from("bytes"), "text");
      assert.deepEqual(await settled(a, [a, b]), [[], [["said", Buffer.from("bytes"), "text"]]]);
      b.on("vote", (arg, ack) => ack(arg));
      assert.deepEqual(await ask(a, "broadcast-ack", room, 5_000, "vote", Buffer.from("x")), [
        false,
        [Buffer.from("x")],
      ]);
      const admin = create(t, server.url, { ...client, nsp: "/admin" });
      const [error] = await next(admin, "connect_error");
      assert.equal(error.message, "not authorized");
      assert.deepEqual(error.data, { code: "E_AUTH" });
    });

    test("questions in both directions", async (t) => {
      const socket = await open(t, server.url, client);
      socket.on("question", (arg, ack) => ack({ arg }));
      socket.emit("ask-me", Buffer.from("why"));
      assert.deepEqual(await next(socket, "answer"), [{ arg: Buffer.from("why") }]);
      socket.removeAllListeners("question");
      socket.emit("ask-me-timeout", 50, null);
      assert.deepEqual(await next(socket, "answer"), [true, null]);
    });

    test("both ends see why a socket ended", async (t) => {
      const socket = await open(t, server.url, client);
      socket.emit("kick", false);
      assert.equal((await next(socket, "disconnect"))[0], "io server disconnect");
    });
  });
}

describe("what is not a packet ends the session", () => {
  const encode = (packet) => new parser.Encoder().encode(packet)[0];
  const cases = {
    "text of the default parser": "40",
    "an empty message": Buffer.alloc(0),
    "a lone integer": Buffer.from([1]),
    "a byte that msgpack never uses": Buffer.from([0xc1]),
    "a map cut short": encode({ type: 2, nsp: "/", data: ["message", "text"] }).subarray(0, 12),
    "an array of four thousand million items": Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]),
    "arrays in arrays in arrays": Buffer.alloc(50_000, 0x91),
    "no type": encode({ nsp: "/", data: ["message"] }),
    "an unknown type": encode({ type: 9, nsp: "/", data: ["message"] }),
    "a type that is text": encode({ type: "2", nsp: "/", data: ["message"] }),
    "no namespace": encode({ type: 2, data: ["message"] }),
    "a namespace that is no text": encode({ type: 2, nsp: 5, data: ["message"] }),
    "an event that is no list": encode({ type: 2, nsp: "/", data: "message" }),
    "an acknowledgement id that is no number": encode({ type: 2, nsp: "/", data: ["message"], id: "1" }),
  };
  for (const [what, message] of Object.entries(cases)) {
    test(what, async (t) => {
      const frames = await Frames.connect(t, server.url);
      await frames.read();
      frames.send(encode({ type: 0, nsp: "/" }));
      await frames.read();
      await frames.read();
      if (typeof message === "string") frames.send(`4${message}`);
      else frames.send(message);
      await frames.end();
    });
  }
});
