// A person without a camera, or who does not want to be seen, is told why and meets all the same.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DEVICES, launchBrowser } from "./browser.mjs";
import { newCaller } from "./roulette.mjs";
import { startServer } from "./server.mjs";
import { say, talks } from "./talk.mjs";

/** What a browser says, how it is started for that, the host it is asked for, and what the person reads. */
const CASES = [
  { name: "refused", flags: DEVICES.denied, host: "127.0.0.1", title: "This page may not use your camera and microphone" },
  { name: "missing", flags: DEVICES.missing, host: "127.0.0.1", title: "No camera and microphone found" },
  {
    name: "kept from a page that is not secure",
    flags: ["--host-resolver-rules=MAP throng.test 127.0.0.1"],
    host: "throng.test",
    title: "This page is not secure",
  },
];

let server;
before(async () => {
  server = await startServer();
});
after(async () => {
  await server?.stop();
});

for (const { name, flags, host, title } of CASES) {
  test(`devices that are ${name} leave the words`, async (t) => {
    const browser = await launchBrowser(flags);
    t.after(() => browser.close());
    const url = server.url.replace("127.0.0.1", host);
    const [ada, ben] = [await newCaller(browser, url), await newCaller(browser, url)];
    for (const page of [ada, ben]) {
      await page.getByRole("button", { name: "Meet someone" }).click();
      const help = page.getByRole("alert").filter({ hasText: title });
      await help.getByRole("button", { name: "Meet in words" }).click();
    }
    await Promise.all([talks(ada), talks(ben)]);
    await say(ada, "Words will do.", [ben]);
    assert.equal(await ada.evaluate(() => globalThis.peers.length), 0);
  });
}

test("only the roulette may ask for devices, and for itself alone", async () => {
  const permissions = async (path) => (await fetch(server.url + path)).headers.get("permissions-policy");
  assert.equal(await permissions("/roulette"), "camera=(self), microphone=(self)");
  assert.equal(await permissions("/"), "camera=(), microphone=()");
});
