// What people owe each other on the debate page: word of who writes, a way to go on, to report, to block, to say how it was.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchBrowser, newPerson } from "./browser.mjs";
import { ask, newTopic, pair, waits } from "./debate.mjs";
import { startServer } from "./server.mjs";
import { block, composer, heading, leave, next, report, say, talks, transcript } from "./talk.mjs";

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

async function people(t, count = 2) {
  const pages = [];
  for (let person = 0; person < count; person += 1) pages.push(await newPerson(browser, server.url));
  t.after(() => Promise.all(pages.map((page) => page.context().close())));
  return pages;
}

test("partner sees that one writes, until it is sent or taken back", async (t) => {
  const [ada, ben] = await people(t);
  await pair(ada, ben);
  const writing = ben.getByText("Your partner is writing.");
  await composer(ada).pressSequentially("I think");
  await writing.waitFor();
  await composer(ada).fill("");
  await writing.waitFor({ state: "detached" });
  await composer(ada).pressSequentially("So");
  await writing.waitFor();
  await composer(ada).press("Enter");
  await writing.waitFor({ state: "detached" });
  assert.deepEqual(await transcript(ben), ["partner: So"]);
});

test("next one is found in one step, and the partner is told", async (t) => {
  const [ada, ben, cy] = await people(t, 3);
  const topic = await pair(ada, ben);
  await ask(cy, topic, "Against");
  await waits(cy);
  await next(ada);
  await heading(ben, "Your partner left");
  await talks(cy);
  await say(ada, "Hello, another one.", [cy]);
  assert.deepEqual(await transcript(ada), ["you: Hello, another one."]);
});

test("report ends it for both, and the two are not paired again", async (t) => {
  const [ada, ben] = await people(t);
  await pair(ada, ben);
  await report(ada, "Insults, threats or hate", "They called me an owl.");
  await heading(ben, "A report ended this");
  for (const page of [ada, ben]) await next(page);
  for (const page of [ada, ben]) await page.getByText("1 other person waits on this topic.").waitFor();
});

test("block ends it, and the two are not paired again", async (t) => {
  const [ada, ben] = await people(t);
  await pair(ada, ben);
  await block(ada);
  await heading(ben, "Your partner left");
  for (const page of [ada, ben]) await next(page);
  for (const page of [ada, ben]) await page.getByText("1 other person waits on this topic.").waitFor();
});

test("partner of a debate that is over can still be rated, once, and blocked", async (t) => {
  const [ada, ben] = await people(t);
  await pair(ada, ben);
  await leave(ada);
  await ada.locator("label", { has: ada.getByRole("radio", { name: "5 stars" }) }).click();
  await ada.getByLabel("Anything to add?").fill("They listened.");
  await ada.getByRole("button", { name: "Send" }).click();
  await ada.getByText("Thank you for saying how it was.").waitFor();
  await ada.getByRole("button", { name: "Block this partner" }).click();
  await ada.getByText("Blocked. The two of you are never paired again.").waitFor();
  await heading(ben, "Your partner left");
});

test("what two people share is shown to both", async (t) => {
  const [ada, ben] = await people(t);
  const topic = newTopic();
  const wish = async (page, interests, side) => {
    await page.getByText("Interests, language and more").click();
    await page.getByLabel("Interests", { exact: true }).fill(`${interests},`);
    await page.getByLabel("Language", { exact: true }).selectOption("de");
    await ask(page, topic, side);
  };
  await wish(ada, "Chess, owls", "For");
  await waits(ada);
  await wish(ben, "owls, jazz", "Against");
  for (const page of [ada, ben]) await page.getByText("You share owls and Deutsch.").waitFor();
});

test("interests are taken one by one, five at most, and can be taken back", async (t) => {
  const [ada] = await people(t, 1);
  await ada.getByText("Interests, language and more").click();
  await ada.getByLabel("Interests", { exact: true }).fill("one,Two!,three,four,five,six,");
  const chosen = ada.getByRole("list", { name: "Chosen so far" }).getByRole("listitem");
  assert.equal(await chosen.count(), 5);
  await ada.getByRole("button", { name: "Remove three" }).click();
  for (const interest of ["one", "two", "four", "five"]) await chosen.filter({ hasText: interest }).waitFor();
  assert.equal(await chosen.count(), 4);
});
