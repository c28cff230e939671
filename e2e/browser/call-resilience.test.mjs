// A call survives reloads, a lost connection and a changed network, whoever of the two it happens to.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DEVICES, launchBrowser, until } from "./browser.mjs";
import { connect, hears, isConnected, meet, newCaller, seesFrames, waits } from "./roulette.mjs";
import { startServer } from "./server.mjs";
import { composer, leave, reads, say, talks, transcript } from "./talk.mjs";

let server;
let browser;
before(async () => {
  server = await startServer();
  browser = await launchBrowser(DEVICES.granted);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function twoCallers(t) {
  const pages = [await newCaller(browser, server.url), await newCaller(browser, server.url)];
  t.after(() => Promise.all(pages.map((page) => page.context().close())));
  return pages;
}

async function bothSeeAndHear(pages) {
  await Promise.all(pages.map((page) => isConnected(page)));
  await Promise.all(pages.map((page) => seesFrames(page)));
  await Promise.all(pages.map((page) => hears(page)));
}

for (const [who, index] of [
  ["the one who waited", 0],
  ["the one who came", 1],
]) {
  test(`reload of ${who} brings the call back, and what was written`, async (t) => {
    const pages = await twoCallers(t);
    await connect(...pages);
    const [reloaded, other] = [pages[index], pages[1 - index]];
    await say(reloaded, "One.", [other]);
    await composer(reloaded).fill("half a thou");
    await reloaded.reload();
    await talks(reloaded);
    await bothSeeAndHear(pages);
    assert.deepEqual(await transcript(reloaded), ["you: One."]);
    assert.equal(await composer(reloaded).inputValue(), "half a thou");
    await say(other, "Two.", [reloaded]);
  });
}

test("reload of both at once brings the call back", async (t) => {
  const pages = await twoCallers(t);
  await connect(...pages);
  await Promise.all(pages.map((page) => page.reload()));
  await Promise.all(pages.map((page) => talks(page)));
  await bothSeeAndHear(pages);
});

test("reload while waiting takes the place in the queue again, camera and all", async (t) => {
  const [ada, ben] = await twoCallers(t);
  await meet(ada, "Video");
  await waits(ada);
  await ada.reload();
  await waits(ada);
  await meet(ben, "Video");
  await Promise.all([talks(ada), talks(ben)]);
  await bothSeeAndHear([ada, ben]);
});

test("lost connection to the server shows, and its end brings back words and call", async (t) => {
  const [ada, ben] = await twoCallers(t);
  await connect(ada, ben);
  await composer(ada).fill("half a thou");
  const send = ada.getByRole("button", { name: "Send" });
  await send.focus();
  await ada.context().setOffline(true);
  await ada.getByText("No connection. Reconnecting…").waitFor();
  assert.equal(await send.isDisabled(), true);
  assert.equal(await send.evaluate((button) => button === document.activeElement), true);
  await ben.locator(".tag-half", { hasText: "away" }).waitFor();
  await composer(ben).fill("Are you there?");
  await composer(ben).press("Enter");
  await ada.context().setOffline(false);
  await ada.getByText("Connection restored.").waitFor();
  await reads(ada, "Are you there?");
  await ben.locator(".tag-half", { hasText: "here" }).waitFor();
  await bothSeeAndHear([ada, ben]);
  await say(ada, "Back again.", [ben]);
});

test("new ways that one seeks are agreed on without a new call, and the picture goes on", async (t) => {
  const pages = await twoCallers(t);
  await connect(...pages);
  for (const seeker of pages) {
    const before = await Promise.all(pages.map((page) => fragment(page)));
    await seeker.evaluate(() => globalThis.peers.at(-1).restartIce());
    await Promise.all(pages.map((page, index) => hasNewWays(page, before[index])));
    await bothSeeAndHear(pages);
  }
  for (const page of pages) assert.equal(await page.evaluate(() => globalThis.peers.length), 1);
});

test("new ways that both seek at the same moment are agreed on, and the picture goes on", async (t) => {
  const pages = await twoCallers(t);
  await connect(...pages);
  const before = await Promise.all(pages.map((page) => fragment(page)));
  await Promise.all(pages.map((page) => page.evaluate(() => globalThis.peers.at(-1).restartIce())));
  await Promise.all(pages.map((page, index) => hasNewWays(page, before[index])));
  await bothSeeAndHear(pages);
  for (const page of pages) assert.deepEqual(page.complaints, []);
});

test("call whose connection is gone is set up anew", async (t) => {
  const [ada, ben] = await twoCallers(t);
  await connect(ada, ben);
  // As when a browser loses it altogether: no word of it reaches the page.
  await ada.evaluate(() => globalThis.peers.at(-1).close());
  await ada.context().setOffline(true);
  await ada.getByText("No connection. Reconnecting…").waitFor();
  await ada.context().setOffline(false);
  await ada.getByText("Connection restored.").waitFor();
  await until(ada, () => globalThis.peers.length === 2);
  await bothSeeAndHear([ada, ben]);
});

test("conversation that ended during a lost connection is over, not forgotten", async (t) => {
  const [ada, ben] = await twoCallers(t);
  await connect(ada, ben);
  await say(ada, "One.", [ben]);
  await ada.context().setOffline(true);
  await ben.locator(".tag-half", { hasText: "away" }).waitFor();
  await leave(ben);
  await ada.context().setOffline(false);
  await ada.getByText("Read it again").click();
  assert.deepEqual(await transcript(ada), ["you: One."]);
});

/** The name of the page's end of the connection, which changes when new ways are sought. */
function fragment(page) {
  return page.evaluate(() => /a=ice-ufrag:(\S+)/.exec(globalThis.peers.at(-1).localDescription.sdp)[1]);
}

/** Resolves when the page's end has another name than `old`, and the connection holds. */
async function hasNewWays(page, old) {
  await until(
    page,
    (former) => {
      const peer = globalThis.peers.at(-1);
      const name = /a=ice-ufrag:(\S+)/.exec(peer.localDescription?.sdp)?.[1];
      return peer.signalingState === "stable" && name !== former && peer.connectionState === "connected";
    },
    old,
  );
}
