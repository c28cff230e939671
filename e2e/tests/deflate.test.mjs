// permessage-deflate on a server that has it switched on: what is negotiated, what is compressed, what is refused.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLIENTS, ask, open } from "../client.mjs";
import { Frames } from "../frames.mjs";
import { startServer } from "../server.mjs";

let server;
before(async () => (server = await startServer({ DEFLATE: "1" })));
after(() => server.close());

/** The extensions that the server agreed to, by their parameters. */
async function joined(t, perMessageDeflate) {
  let agreed = "";
  const frames = await Frames.join(t, server.url, {
    perMessageDeflate,
    finishRequest(request) {
      request.on("upgrade", (response) => (agreed = response.headers["sec-websocket-extensions"] ?? ""));
      request.end();
    },
  });
  return { frames, agreed };
}

/** The number of bytes that an echo of `text` takes on the wire. */
async function echoSize(frames, text) {
  const before = frames.socket._socket.bytesRead;
  frames.send(`42["message","${text}"]`);
  assert.equal(await frames.readUntil('42["message-back"'), `42["message-back","${text}"]`);
  return frames.socket._socket.bytesRead - before;
}

test("it is agreed on without context takeover in either direction", async (t) => {
  const { frames, agreed } = await joined(t, { threshold: 0 });
  assert.equal(frames.socket.extensions, "permessage-deflate");
  assert.match(agreed, /server_no_context_takeover/);
  assert.match(agreed, /client_no_context_takeover/);
});

test("a long message is compressed, a short one is not", async (t) => {
  const { frames } = await joined(t, { threshold: 0 });
  assert.ok((await echoSize(frames, "long ".repeat(20_000))) < 2_000);
  assert.ok((await echoSize(frames, "short ".repeat(100))) >= 600);
});

test("messages stay apart: the same text costs the same again", async (t) => {
  const { frames } = await joined(t, { threshold: 0 });
  const text = Array.from({ length: 2_000 }, (_, i) => (i * 7919) % 1_000).join(" ");
  const first = await echoSize(frames, text);
  assert.ok(first < text.length);
  assert.equal(await echoSize(frames, text), first);
});

test("a compressed message may come in fragments", async (t) => {
  const { frames } = await joined(t, { threshold: 0 });
  frames.socket.send('42["message","', { fin: false, compress: true });
  frames.socket.send("part ".repeat(1_000), { fin: false, compress: true });
  frames.socket.send('"]', { fin: true, compress: true });
  assert.equal(await frames.readUntil('42["message-back"'), `42["message-back","${"part ".repeat(1_000)}"]`);
});

test("what unpacks to more than the limit closes with 1009", async (t) => {
  const { frames } = await joined(t, { threshold: 0 });
  frames.send(`42["message","${"x".repeat(5_000_000)}"]`);
  assert.equal(await frames.end(), 1009);
});

test("compressed bytes that make no sense end the session", async (t) => {
  const { frames } = await joined(t, { threshold: 0 });
  // A text frame with RSV1 and a zero mask, whose payload is no deflate block.
  frames.socket._socket.write(Buffer.from([0xc1, 0x84, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]));
  await frames.end();
});

for (const [what, offer] of Object.entries({
  "a small window for the server": { serverMaxWindowBits: 9 },
  "a small window for the client": { clientMaxWindowBits: 9 },
  "no context takeover": { serverNoContextTakeover: true, clientNoContextTakeover: true },
})) {
  test(`an offer with ${what} is agreed on or declined, and messages flow`, async (t) => {
    const { frames } = await joined(t, { threshold: 0, ...offer });
    await echoSize(frames, "words ".repeat(5_000));
    await echoSize(frames, "words ".repeat(5_000));
  });
}

test("a client that does not offer it gets plain frames", async (t) => {
  const frames = await Frames.join(t, server.url);
  assert.equal(frames.socket.extensions, "");
  assert.ok((await echoSize(frames, "long ".repeat(20_000))) > 100_000);
});

for (const client of Object.keys(CLIENTS)) {
  describe(`client ${client}`, () => {
    for (const transport of ["websocket", "upgrade"]) {
      test(`${transport}: long and short, text and binary come back`, async (t) => {
        const socket = await open(t, server.url, { client, transport, perMessageDeflate: { threshold: 0 } });
        const values = ["x", "ü".repeat(100_000), Buffer.alloc(200_000, "abc"), { short: Buffer.from([1]) }];
        for (let round = 0; round < 3; round++) {
          assert.deepEqual(await ask(socket, "message-with-ack", ...values), values);
        }
      });
    }
  });
}

test("a server without the switch declines every offer", async (t) => {
  const plain = await startServer();
  t.after(() => plain.close());
  const frames = await Frames.join(t, plain.url, { perMessageDeflate: true });
  assert.equal(frames.socket.extensions, "");
  assert.ok((await echoSize(frames, "long ".repeat(20_000))) > 100_000);
});
