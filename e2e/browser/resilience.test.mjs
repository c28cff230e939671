// A debate and a wish survive a reload and a lost connection, and the page says what happens.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connected, launchBrowser, newPerson, until } from "./browser.mjs";
import { ask, newTopic, pair, waits } from "./debate.mjs";
import { ownsServer, startServer } from "./server.mjs";
import { clock, composer, heading, leave, reads, say, talks, transcript } from "./talk.mjs";

let server;
let browser;
before(async () => {
  server = await startServer();
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function twoPeople(t, url = server.url) {
  const people = [await newPerson(browser, url), await newPerson(browser, url)];
  t.after(() => Promise.all(people.map((page) => page.context().close())));
  return people;
}

test("reload in the middle of a debate brings it back with its history", async (t) => {
  const [ada, ben] = await twoPeople(t);
  const topic = await pair(ada, ben);
  await say(ada, "One.", [ben]);
  await say(ben, "Two.", [ada]);
  await composer(ada).fill("half a thou");
  const left = await clock(ada);
  await ada.reload();
  await talks(ada);
  await heading(ada, topic);
  await ada.getByText("You: For").waitFor();
  assert.deepEqual(await transcript(ada), ["you: One.", "partner: Two."]);
  assert.ok((await clock(ada)) <= left);
  assert.equal(await composer(ada).inputValue(), "half a thou");
  await say(ada, "Three.", [ben]);
  await say(ben, "Four.", [ada]);
  await ben.getByText("(away)").waitFor({ state: "detached" });
});

test("reload while waiting takes the place in the queue again", async (t) => {
  const [ada, ben] = await twoPeople(t);
  const topic = newTopic();
  await ask(ada, topic, "For");
  await waits(ada);
  await ada.reload();
  await waits(ada);
  await ask(ben, topic, "Against");
  await Promise.all([talks(ada), talks(ben)]);
});

test("lost connection shows, and its end brings back what was missed", async (t) => {
  const [ada, ben] = await twoPeople(t);
  await pair(ada, ben);
  await say(ada, "One.", [ben]);
  await composer(ada).fill("half a thou");
  const leaving = ada.getByRole("button", { name: "Leave" });
  await leaving.focus();
  await ada.context().setOffline(true);
  await ada.getByText("No connection. Reconnecting…").waitFor();
  await ada.getByText(/Attempt \d+/).waitFor();
  assert.equal(await leaving.isDisabled(), true);
  assert.equal(await leaving.evaluate((button) => button === document.activeElement), true);
  // Not spoken, as it changes all the time.
  assert.doesNotMatch(await ada.locator("[data-link]").ariaSnapshot(), /Attempt/);
  await ada.getByRole("button", { name: "Try now" }).focus();
  assert.equal(await ada.getByRole("button", { name: "Send" }).isDisabled(), true);
  await ben.getByText("(away)").waitFor();
  await say(ben, "Are you there?", []);
  await ada.context().setOffline(false);
  await ada.getByText("Connection restored.").waitFor();
  await until(ada, () => document.activeElement.id === "message");
  await reads(ada, "Are you there?");
  await ben.getByTestId("status").getByText("Your partner is back.").waitFor();
  assert.equal(await ben.getByText("(away)").count(), 0);
  assert.deepEqual(await transcript(ada), ["you: One.", "partner: Are you there?"]);
  assert.equal(await composer(ada).inputValue(), "half a thou");
  await say(ada, "Back again.", [ben]);
});

test("lost connection while waiting keeps the wish, and nobody is counted meanwhile", async (t) => {
  const [ada, ben] = await twoPeople(t);
  const topic = newTopic();
  await ask(ada, topic, "For");
  await waits(ada);
  await ben.locator("label", { hasText: topic }).getByText("1 waiting").waitFor();
  for (const page of [ada, ben]) {
    await page.context().setOffline(true);
    await page.getByText("No connection. Reconnecting…").waitFor();
    await page.getByText("– waiting, – debating").waitFor();
    assert.equal(await page.getByText(/\d (person |people )?waiting|on this topic\./).count(), 0);
  }
  await ben.getByText("Someone waited on").waitFor();
  for (const page of [ada, ben]) await page.context().setOffline(false);
  await connected(ada);
  await waits(ada);
  await ask(ben, topic, "Against");
  await Promise.all([talks(ada), talks(ben)]);
});

test("debate that ended during a lost connection is over, and can be read and judged", async (t) => {
  const [ada, ben] = await twoPeople(t);
  await pair(ada, ben);
  await say(ada, "One.", [ben]);
  await ada.context().setOffline(true);
  await ben.getByText("(away)").waitFor();
  await leave(ben);
  await ada.context().setOffline(false);
  await heading(ada, "This debate is over");
  await ada.getByText("Read it again").click();
  assert.deepEqual(await transcript(ada), ["you: One."]);
  await ada.getByRole("button", { name: "Block this partner" }).click();
  await ada.getByText("Blocked. The two of you are never paired again.").waitFor();
});

// Only a node of our own can be configured, and stopped.
if (ownsServer) {
  test("whoever comes back too late can read the debate but not judge it", async (t) => {
    const impatient = await startServer('[debate]\ngrace = "100ms"\n');
    t.after(() => impatient.stop());
    const [ada, ben] = await twoPeople(t, impatient.url);
    await pair(ada, ben);
    await say(ada, "One.", [ben]);
    await ada.context().setOffline(true);
    await heading(ben, "Your partner is gone");
    // Each attempt waits longer than the last: by now the server has forgotten.
    await ada.getByText(/Attempt [4-9]/).waitFor();
    await ada.context().setOffline(false);
    await heading(ada, "This debate is over");
    await ada.getByText("The server does not know this debate any more").waitFor();
    assert.equal(await ada.getByText(/How was it|Block this partner/).count(), 0);
    await ada.getByText("Read it again").click();
    assert.deepEqual(await transcript(ada), ["you: One."]);
  });

  test("node that stops says so, and the page keeps trying", async (t) => {
    const mortal = await startServer();
    const [ada, ben] = await twoPeople(t, mortal.url);
    await pair(ada, ben);
    const stopped = mortal.stop();
    for (const page of [ada, ben]) await heading(page, "The server closed");
    await stopped;
    await ada.getByText(/Attempt \d+/).waitFor();
  });
}
