// The HTTP side of Engine.IO, request by request: refusals with their bodies, CORS, payloads, and what ends a session.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { within } from "../deadline.mjs";
import { Frames } from "../frames.mjs";
import { PollingSession, pollPath, request } from "../polling.mjs";
import { startServer } from "../server.mjs";

let server;
before(async () => (server = await startServer({ MAX_PAYLOAD: "100000" })));
after(() => server.close());

const get = (path, options) => request(server.url, path, options);

describe("a refused request names what is wrong with it", () => {
  const ERRORS = {
    transport: { code: 0, message: "Transport unknown" },
    session: { code: 1, message: "Session ID unknown" },
    handshake: { code: 2, message: "Bad handshake method" },
    request: { code: 3, message: "Bad request" },
    version: { code: 5, message: "Unsupported protocol version" },
  };
  const cases = [
    ["no transport", "GET", "?EIO=4", ERRORS.transport],
    ["an unknown transport", "GET", "?EIO=4&transport=carrier-pigeon", ERRORS.transport],
    ["a transport named like an object's own property", "GET", "?EIO=4&transport=constructor", ERRORS.transport],
    ["no version", "GET", "?transport=polling", ERRORS.version],
    ["version 3", "GET", "?EIO=3&transport=polling", ERRORS.version],
    ["a version that is no number", "GET", "?EIO=abc&transport=polling", ERRORS.version],
    ["a handshake by POST", "POST", "?EIO=4&transport=polling", ERRORS.handshake],
    ["a handshake by PUT", "PUT", "?EIO=4&transport=polling", ERRORS.handshake],
    ["a handshake by DELETE", "DELETE", "?EIO=4&transport=polling", ERRORS.handshake],
    ["a foreign session", "GET", "?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA", ERRORS.session],
    ["a session id of one letter", "GET", "?EIO=4&transport=polling&sid=x", ERRORS.session],
    ["a post to a foreign session", "POST", "?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA", ERRORS.session],
    ["WebSocket without an upgrade", "GET", "?EIO=4&transport=websocket", ERRORS.request],
  ];
  for (const [what, method, query, error] of cases) {
    test(what, async () => {
      const answer = await get(`/socket.io/${query}`, { method });
      assert.equal(answer.status, 400);
      assert.match(answer.headers["content-type"], /^application\/json/);
      assert.deepEqual(JSON.parse(answer.body), error);
    });
  }

  test("polling a session that lives on WebSocket", async (t) => {
    const frames = await Frames.join(t, server.url);
    const answer = await get(pollPath(frames.open.sid));
    assert.equal(answer.status, 400);
    assert.deepEqual(JSON.parse(answer.body), ERRORS.request);
  });

  const handshake = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  for (const [what, query, error] of [
    ["no transport", "?EIO=4", ERRORS.transport],
    ["an unknown transport", "?EIO=4&transport=webtransportation", ERRORS.transport],
    ["a foreign session", "?EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA", ERRORS.session],
  ]) {
    test(`a WebSocket handshake with ${what}`, async () => {
      const answer = await get(`/socket.io/${query}`, { headers: handshake });
      assert.equal(answer.status, 400);
      assert.ok(answer.body.includes(error.message), answer.body);
    });
  }

  // Node takes these connections and then ends them; refusing them at once is as good.
  for (const query of ["?EIO=3&transport=websocket", "?transport=websocket", "?EIO=4&transport=polling"]) {
    test(`a WebSocket to ${query} opens no session`, async () => {
      const socket = new WebSocket(`${server.url.replace("http", "ws")}/socket.io/${query}`);
      const messages = [];
      socket.on("message", (data) => messages.push(String(data)));
      socket.on("error", () => {});
      await within(new Promise((resolve) => socket.once("close", resolve)), "the end of the connection");
      assert.ok(!messages.some((text) => text.startsWith("0")), messages.join());
    });
  }
});

describe("handshake", () => {
  test("says what the client has to know", async () => {
    const answer = await get(pollPath());
    assert.equal(answer.status, 200);
    assert.match(answer.headers["content-type"], /^text\/plain/);
    assert.match(answer.body, /^0\{/);
    const open = JSON.parse(answer.body.slice(1));
    assert.match(open.sid, /^[\w-]{16,}$/);
    assert.deepEqual(
      { ...open, sid: "" },
      { sid: "", upgrades: ["websocket"], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 100_000 },
    );
  });

  test("over WebSocket offers no upgrade", async (t) => {
    const frames = await Frames.join(t, server.url);
    assert.deepEqual(frames.open.upgrades, []);
  });

  test("ids are never given twice", async () => {
    const opens = await Promise.all(Array.from({ length: 100 }, () => PollingSession.start(server.url)));
    assert.equal(new Set(opens.map(({ sid }) => sid)).size, 100);
  });

  test("another path is not found", async () => {
    assert.equal((await get("/elsewhere/?EIO=4&transport=polling")).status, 404);
  });
});

describe("CORS", () => {
  const origin = "http://elsewhere.example";

  test("any origin may read the answer", async () => {
    for (const path of [pollPath(), "/socket.io/?EIO=4&transport=nothing"]) {
      const { headers } = await get(path, { headers: { origin } });
      assert.ok(["*", origin].includes(headers["access-control-allow-origin"]), path);
    }
  });

  test("a preflight is answered", async () => {
    const answer = await get(pollPath(), {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "x-heldout" },
    });
    assert.ok([200, 204].includes(answer.status), `${answer.status}`);
    assert.ok(["*", origin].includes(answer.headers["access-control-allow-origin"]));
    assert.match(answer.headers["access-control-allow-methods"], /POST|\*/);
    assert.match(answer.headers["access-control-allow-headers"], /x-heldout|\*/i);
  });
});

describe("payloads", () => {
  test("several packets come and go in one request", async () => {
    const session = await PollingSession.start(server.url);
    await session.join();
    const posted = await session.post('42["message",1]\x1e42["message","zwei ü"]\x1e421["message-with-ack"]');
    assert.deepEqual([posted.status, posted.body], [200, "ok"]);
    const text = await session.pollUntil("431[]");
    assert.equal(text, '42["message-back",1]\x1e42["message-back","zwei ü"]\x1e431[]');
  });

  test("binary travels as base64", async () => {
    const session = await PollingSession.start(server.url);
    await session.join();
    await session.post('451-["message",{"_placeholder":true,"num":0}]\x1ebAQIDBA==');
    assert.equal(
      await session.pollUntil("bAQIDBA=="),
      '451-["message-back",{"_placeholder":true,"num":0}]\x1ebAQIDBA==',
    );
  });

  test("a waiting poll is answered as soon as there is a message", async () => {
    const session = await PollingSession.start(server.url);
    await session.join();
    const waiting = session.poll();
    await session.post('42["message","now"]');
    assert.equal((await within(waiting, "the poll")).body, '42["message-back","now"]');
  });

  test("a payload of exactly the limit is taken, one more byte is not", async () => {
    const session = await PollingSession.start(server.url);
    await session.join();
    const packet = (length) => `42["message","${"x".repeat(length - '42["message",""]'.length)}"]`;
    assert.equal((await session.post(packet(100_000))).status, 200);
    assert.ok((await session.pollUntil("message-back")).length > 100_000);
    const refused = await session.post(packet(100_001));
    assert.deepEqual([refused.status, refused.body], [413, ""]);
  });

  test("the limit holds for a body that does not say its length", async () => {
    const session = await PollingSession.start(server.url);
    await session.join();
    const status = await within(
      new Promise((resolve, reject) => {
        const outgoing = http.request(server.url + pollPath(session.sid), { method: "POST", agent: false }, (response) =>
          resolve(response.resume().statusCode),
        );
        // The server may hang up while the body is still on its way.
        outgoing.on("error", (error) => (["ECONNRESET", "EPIPE"].includes(error.code) ? resolve(413) : reject(error)));
        for (let i = 0; i < 40; i++) outgoing.write("x".repeat(10_000));
        outgoing.end();
      }),
      "the refusal",
    );
    assert.equal(status, 413);
  });

  test("long answers are compressed for a client that asks for it", async () => {
    const session = await PollingSession.start(server.url);
    await session.join();
    await session.post(`42["message","${"long ".repeat(2_000)}"]`);
    const answer = await session.poll({ headers: { "accept-encoding": "gzip" } });
    assert.equal(answer.headers["content-encoding"], "gzip");
  });

  test("short answers, and answers for other clients, are not", async () => {
    const session = await PollingSession.start(server.url);
    await session.join();
    await session.post('42["message","short"]');
    const short = await session.poll({ headers: { "accept-encoding": "gzip" } });
    assert.equal(short.headers["content-encoding"], undefined);
    assert.equal(short.body, '42["message-back","short"]');
    await session.post(`42["message","${"long ".repeat(2_000)}"]`);
    const plain = await session.poll();
    assert.equal(plain.headers["content-encoding"], undefined);
    assert.ok(plain.body.length > 10_000);
  });
});

describe("a session", () => {
  test("is polled over any connection", async () => {
    const kept = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const session = await PollingSession.start(server.url, { agent: kept });
    await session.join();
    for (let i = 0; i < 5; i++) {
      await session.post(`42["message",${i}]`, { agent: i % 2 ? kept : false });
      const answer = await session.poll({ agent: i % 2 ? false : kept });
      assert.equal(answer.body, `42["message-back",${i}]`);
    }
    kept.destroy();
  });

  test("ends when two polls wait at once", async () => {
    const session = await PollingSession.start(server.url);
    await session.join();
    // Whichever of the two arrives second is refused; the one that waits learns that the session is closed.
    const answers = await within(Promise.all([session.poll(), session.poll()]), "both answers");
    const [kept, refused] = answers.sort((x, y) => x.status - y.status);
    assert.deepEqual([kept.status, kept.body], [200, "1"]);
    assert.ok([400, 500].includes(refused.status), `${refused.status}`);
    assert.equal((await session.poll()).status, 400);
  });

  test("ends by the client's close packet, and later requests find nothing", async () => {
    const session = await PollingSession.start(server.url);
    await session.join();
    const waiting = session.poll();
    assert.equal((await session.post("1")).status, 200);
    assert.equal((await within(waiting, "the poll")).body, "6");
    for (const answer of [await session.poll(), await session.post('42["message"]')]) {
      assert.equal(answer.status, 400);
      assert.deepEqual(JSON.parse(answer.body), { code: 1, message: "Session ID unknown" });
    }
  });

  test("ends when the client hangs up on a waiting poll", async () => {
    const session = await PollingSession.start(server.url);
    await session.join();
    const hangUp = new AbortController();
    const waiting = session.poll({ signal: hangUp.signal });
    await session.post('42["message"]');
    await waiting;
    const idle = session.poll({ signal: hangUp.signal }).catch(() => {});
    // The next post is answered after the waiting poll was read, so the hang-up meets a poll that waits.
    await session.post('42["nobody-listens"]');
    hangUp.abort();
    await idle;
    await within(until(async () => (await session.post('42["nobody-listens"]')).status === 400), "the end");
  });

  for (const [what, body] of [
    ["an unknown packet type", "9"],
    ["text that is no packet", "hello"],
  ]) {
    test(`ends after ${what}`, async () => {
      for (const join of [false, true]) {
        const session = await PollingSession.start(server.url);
        if (join) await session.join();
        const { status } = await session.post(body);
        assert.ok([200, 400].includes(status), `${status}`);
        assert.equal((await session.poll()).status, 400);
      }
    });
  }

  for (const [what, body] of [
    ["a packet that a client may not send", "0{}"],
    ["broken base64", "b!!!!"],
    ["nothing but separators", "\x1e\x1e\x1e"],
  ]) {
    test(`may end after ${what}, and no other does`, async () => {
      const [session, other] = [await PollingSession.start(server.url), await PollingSession.start(server.url)];
      await other.join();
      await session.join();
      const answer = await session.post(body).catch(() => ({ status: 400 }));
      assert.ok([200, 400].includes(answer.status), `${answer.status}`);
      await other.post('42["message"]');
      assert.equal((await other.poll()).body, '42["message-back"]');
    });
  }

  test("refuses other methods", async () => {
    const session = await PollingSession.start(server.url);
    for (const method of ["PUT", "DELETE", "PATCH"]) {
      const answer = await get(pollPath(session.sid), { method });
      assert.ok(answer.status >= 400, `${method}: ${answer.status}`);
    }
    await session.join();
  });
});

/** Repeats `check` until it holds. */
async function until(check) {
  while (!(await check()));
}
