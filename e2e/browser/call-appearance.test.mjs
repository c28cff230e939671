// Every state of the roulette page is accessible and fits its window, in dark and in light, on a desk and on a phone; and
// the keyboard alone is enough for it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { check, SCREENS } from "./appearance.mjs";
import { DEVICES, launchBrowser, until } from "./browser.mjs";
import { connect, isConnected, meet, newCaller, seesFrames, waits } from "./roulette.mjs";
import { startServer } from "./server.mjs";
import { composer, heading, leave, say, talks } from "./talk.mjs";

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

for (const { device, options } of SCREENS) {
  test(`every state is accessible and fits: ${device}`, async (t) => {
    const ada = await newCaller(browser, server.url, options);
    const ben = await newCaller(browser, server.url, options);
    t.after(() => Promise.all([ada, ben].map((page) => page.context().close())));

    await check(ada, "choosing");
    await ada.getByRole("button", { name: "See yourself first" }).click();
    await ada.getByTestId("self").waitFor();
    await check(ada, "choosing, with oneself in sight");
    await meet(ada, "Video");
    await waits(ada);
    await check(ada, "waiting");
    await meet(ben, "Video");
    await Promise.all([isConnected(ada), isConnected(ben)]);
    await seesFrames(ada);
    await check(ada, "call");
    await say(ada, "W".repeat(300), [ben]);
    await check(ben, "call with words");
    await ben.getByRole("button", { name: "Turn the camera off" }).click();
    await ben.getByRole("button", { name: "Turn the microphone off" }).click();
    await ada.getByText("Your partner is muted").waitFor();
    await check(ada, "partner is off");
    await check(ben, "oneself is off");
    await ben.context().setOffline(true);
    await ben.getByText(/Attempt \d+/).waitFor();
    await check(ben, "reconnecting");
    await ada.locator(".tag-half", { hasText: "away" }).waitFor();
    await check(ada, "partner away");
    await ben.context().setOffline(false);
    await ben.getByText("Connection restored.").waitFor();
    await leave(ada);
    await check(ada, "left");
    await heading(ben, "Your partner left");
    await check(ben, "ended");

    for (const page of [ada, ben]) await page.getByRole("button", { name: "Change how to meet" }).click();
    await connect(ada, ben, "Voice");
    await check(ada, "voices");
    await leave(ada);
    await heading(ben, "Your partner left");
    for (const page of [ada, ben]) await page.getByRole("button", { name: "Change how to meet" }).click();
    await connect(ada, ben, "Words");
    await say(ada, "Hello.", [ben]);
    await check(ada, "words");
  });
}

test("refused devices are explained accessibly", async (t) => {
  const strict = await launchBrowser(DEVICES.denied);
  t.after(() => strict.close());
  for (const { device, options } of SCREENS) {
    const ada = await newCaller(strict, server.url, options);
    await ada.getByRole("button", { name: "Meet someone" }).click();
    await ada.getByText("This page may not use your camera and microphone").waitFor();
    await check(ada, `refused devices: ${device}`);
  }
});

test("keyboard alone is enough for a call", async (t) => {
  const [ada, ben] = [await newCaller(browser, server.url), await newCaller(browser, server.url)];
  t.after(() => Promise.all([ada, ben].map((page) => page.context().close())));
  await ada.getByRole("radio", { name: "Video" }).focus();
  for (let step = 0; step < 10 && !(await on(ada, "Meet someone")); step += 1) await ada.keyboard.press("Tab");
  await ada.keyboard.press("Enter");
  await waits(ada);
  await meet(ben, "Video");
  await Promise.all([isConnected(ada), isConnected(ben)]);
  const controls = ["Turn the microphone off", "Turn the camera off", "Next", "Leave", "Report or block"];
  for (const control of controls) {
    await ada.keyboard.press("Shift+Tab");
    for (let step = 0; step < 20 && !(await on(ada, control)); step += 1) await ada.keyboard.press("Tab");
    assert.ok(await on(ada, control), `Tab does not reach "${control}"`);
  }
  await ada.keyboard.press("Space");
  await ada.getByRole("dialog", { name: "What is wrong?" }).waitFor();
  await ada.keyboard.press("Escape");
  await until(ada, () => document.activeElement.getAttribute("aria-label") === "Report or block");
  await composer(ada).focus();
  await ada.keyboard.type("Typed, not clicked.");
  await ada.keyboard.press("Enter");
  await ben.getByText("Typed, not clicked.").waitFor();
  await talks(ben);
});

/** Whether the button of that name has the focus. */
function on(page, name) {
  return page.getByRole("button", { name, exact: true }).evaluate((button) => button === document.activeElement);
}
