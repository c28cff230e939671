// The debate page offers what the server has on its list, and a line for one's own topic only where the server takes such.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { check, SCREENS } from "./appearance.mjs";
import { launchBrowser, newPerson } from "./browser.mjs";
import { ownsServer, startServer } from "./server.mjs";
import { heading, talks } from "./talk.mjs";

const TOPICS = ["Zoos should close", "Tea beats coffee"];

let server;
let browser;
before(async () => {
  const settings = `[debate]\ntopics = ${JSON.stringify(TOPICS)}\nown_topics = false\n`;
  server = ownsServer ? await startServer(settings) : null;
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const offered = (page) => page.locator(".choices .choice-text").allTextContents();

// A node that is somebody else's has topics of its own.
if (ownsServer) {
  test("a closed list is all there is to choose from, in the server's order", async (t) => {
    const [ada, ben] = [await newPerson(browser, server.url), await newPerson(browser, server.url)];
    t.after(() => Promise.all([ada, ben].map((page) => page.context().close())));
    await ada.getByRole("radio", { name: TOPICS[0] }).and(ada.locator(":checked")).waitFor();
    assert.deepEqual(await offered(ada), TOPICS);
    assert.equal(await ada.getByLabel("Your own topic").count(), 0);
    for (const page of [ada, ben]) {
      await page.getByRole("radio", { name: TOPICS[1] }).check();
      await page.getByRole("button", { name: "Find a partner" }).click();
    }
    for (const page of [ada, ben]) {
      await talks(page);
      await heading(page, TOPICS[1]);
    }
    assert.deepEqual([...ada.complaints, ...ben.complaints], []);
  });

  for (const { device, options } of SCREENS) {
    test(`a closed list is accessible and fits: ${device}`, async (t) => {
      const ada = await newPerson(browser, server.url, options);
      t.after(() => ada.context().close());
      await ada.getByRole("radio", { name: TOPICS[0] }).waitFor();
      await check(ada, "choosing from a closed list");
    });
  }
}
