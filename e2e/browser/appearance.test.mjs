// Every state of the page passes the axe accessibility rules in dark and in light, on a desk and on a phone, and fits
// the width of a phone.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { launchBrowser, newPerson } from "./browser.mjs";
import { ask, composer, fitsTheWidth, heading, leave, newTopic, say, talks, waits } from "./debate.mjs";
import { startServer } from "./server.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const DESK = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

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

/** Fails with every rule the page breaks in this state and where, and when the page is too wide. */
async function check(page, state) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const broken = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(", ")}`);
  assert.deepEqual(broken, [], state);
  await fitsTheWidth(page, state);
}

for (const [device, screen] of Object.entries({ desk: DESK, phone: PHONE })) {
  for (const colorScheme of ["light", "dark"]) {
    test(`every state is accessible and fits: ${device}, ${colorScheme}`, async (t) => {
      const options = { ...screen, colorScheme, reducedMotion: "reduce" };
      const ada = await newPerson(browser, server.url, options);
      const ben = await newPerson(browser, server.url, options);
      t.after(() => Promise.all([ada, ben].map((page) => page.context().close())));
      const topic = `${newTopic()} ${"W".repeat(60)}`;

      await check(ada, "choosing");
      for (const side of ["For", "Against"]) {
        await ada.getByRole("radio", { name: side, exact: true }).focus();
        await ada.keyboard.press("Space");
        await check(ada, `choosing ${side}`);
      }
      await ask(ada, "", "For");
      await ada.getByText("Write a topic first").waitFor();
      await check(ada, "choosing without a topic");
      await ask(ada, topic, "For");
      await waits(ada);
      await check(ada, "waiting");
      await ben.getByRole("radio", { name: topic }).waitFor();
      await check(ben, "choosing with the topics of others");

      await ask(ben, topic, "Against");
      await Promise.all([talks(ada), talks(ben)]);
      await check(ada, "talking without a message");
      await say(ada, "W".repeat(300), [ben]);
      await say(ben, "No.", [ada]);
      await composer(ada).fill("x".repeat(501));
      await check(ada, "talking, message too long");
      await check(ben, "talking");

      await ada.context().setOffline(true);
      await ada.getByText(/Attempt \d+/).waitFor();
      await check(ada, "reconnecting");
      await ben.getByText("(away)").waitFor();
      await check(ben, "partner away");
      await ada.context().setOffline(false);
      await ada.getByText("Connection restored.").waitFor();
      await check(ada, "restored");

      await leave(ben);
      await heading(ada, "Your partner left");
      await ada.getByText("Read it again").click();
      await check(ada, "ended");
    });
  }
}
