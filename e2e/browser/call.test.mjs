// Two people see, hear and write to each other, with cameras that show a moving picture.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DEVICES, MOVING, launchBrowser, until } from "./browser.mjs";
import { connect, hears, isConnected, meet, newCaller, seesFrames, waits } from "./roulette.mjs";
import { startServer } from "./server.mjs";
import { block, heading, leave, next, report, say, talks, transcript } from "./talk.mjs";

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

async function callers(t, { count = 2, ...options } = {}) {
  const pages = [];
  for (let caller = 0; caller < count; caller += 1) pages.push(await newCaller(browser, server.url, options));
  t.after(() => Promise.all(pages.map((page) => page.context().close())));
  return pages;
}

/** Resolves when both of two people see and hear the other one. */
async function bothSeeAndHear(pages) {
  await Promise.all(pages.map((page) => isConnected(page)));
  await Promise.all(pages.map((page) => seesFrames(page)));
  await Promise.all(pages.map((page) => hears(page)));
}

/** The camera that a person sees themselves with. */
function ownCamera(page) {
  return page.waitForFunction(() => document.querySelector('[data-testid="self"]')?.srcObject?.getVideoTracks()[0]);
}

test("two people see and hear each other, and write beside it", async (t) => {
  const [ada, ben] = await callers(t);
  await connect(ada, ben);
  await bothSeeAndHear([ada, ben]);
  await say(ada, "Hello!", [ben]);
  await say(ben, "Hello yourself.", [ada]);
  assert.deepEqual(await transcript(ada), ["you: Hello!", "partner: Hello yourself."]);
  await bothSeeAndHear([ada, ben]);
  assert.deepEqual([...ada.complaints, ...ben.complaints], []);
});

test("one looks at oneself first, and the camera's light goes out when it is turned off", async (t) => {
  const [ada] = await callers(t, { count: 1 });
  await ada.getByRole("button", { name: "See yourself first" }).click();
  const track = await ownCamera(ada);
  assert.equal(await track.evaluate(({ readyState }) => readyState), "live");
  await ada.getByRole("button", { name: "Turn the camera off" }).click();
  await ada.getByTestId("self").waitFor({ state: "detached" });
  assert.equal(await track.evaluate(({ readyState }) => readyState), "ended");
});

test("camera and microphone go off and on again, and the partner is told", async (t) => {
  const [ada, ben] = await callers(t);
  await connect(ada, ben);
  await ada.getByRole("button", { name: "Turn the camera off" }).click();
  await ada.getByText("Your camera is off").waitFor();
  await ben.locator(".call-words", { hasText: "camera is off" }).waitFor();
  await hears(ben);
  await ada.getByRole("button", { name: "Turn the microphone off" }).click();
  await ben.getByText("Your partner is muted").waitFor();
  await ada.getByRole("button", { name: "Turn the camera on" }).click();
  await ada.getByRole("button", { name: "Turn the microphone on" }).click();
  await ben.getByText("Your partner is muted").waitFor({ state: "detached" });
  await bothSeeAndHear([ada, ben]);
});

test("one who has the camera off goes on with it off", async (t) => {
  const [ada, ben] = await callers(t);
  await connect(ada, ben);
  await ada.getByRole("button", { name: "Turn the camera off" }).click();
  await next(ada);
  await next(ben);
  await Promise.all([isConnected(ada), isConnected(ben)]);
  await ada.getByText("Your camera is off").waitFor();
  await ben.locator(".call-words", { hasText: "camera is off" }).waitFor();
  await seesFrames(ada);
});

test("next one is found in one step, and seen", async (t) => {
  const [ada, ben, cy] = await callers(t, { count: 3 });
  await connect(ada, ben);
  await meet(cy, "Video");
  await waits(cy);
  await next(ada);
  await heading(ben, "Your partner left");
  await talks(cy);
  await bothSeeAndHear([ada, cy]);
  await say(ada, "You are another one.", [cy]);
  assert.deepEqual(await transcript(ada), ["you: You are another one."]);
});

test("voices alone: no picture is asked for, and none is sent", async (t) => {
  const [ada, ben] = await callers(t, MOVING);
  await connect(ada, ben, "Voice");
  for (const page of [ada, ben]) {
    await page.locator(".call-words", { hasText: "You hear each other." }).waitFor();
    await hears(page);
    assert.equal(await page.getByTestId("self").count(), 0);
    const kinds = await page.evaluate(() =>
      globalThis.peers.at(-1).getReceivers().map(({ track }) => track.kind),
    );
    assert.deepEqual(kinds, ["audio"]);
    await until(page, () => document.querySelector(".voices .half-marigold").style.getPropertyValue("--level") > 0);
  }
});

test("call of one with a camera and one without has voices alone, and the camera is let go", async (t) => {
  const [ada, ben] = await callers(t);
  await meet(ada, "Video");
  await waits(ada);
  const track = await ownCamera(ada);
  await meet(ben, "Voice");
  await Promise.all([ada, ben].map((page) => isConnected(page)));
  await Promise.all([ada, ben].map((page) => hears(page)));
  await ada.locator(".call-words", { hasText: "You hear each other." }).waitFor();
  assert.equal(await track.evaluate(({ readyState }) => readyState), "ended");
});

test("words alone: no device is asked for, and no call is made", async (t) => {
  const [ada, ben] = await callers(t);
  for (const page of [ada, ben]) {
    await page.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error("asked for a device"));
    });
  }
  await connect(ada, ben, "Words");
  await say(ada, "No cameras here.", [ben]);
  await say(ben, "Good.", [ada]);
  for (const page of [ada, ben]) {
    assert.equal(await page.evaluate(() => globalThis.peers.length), 0);
    assert.deepEqual(page.complaints, []);
  }
});

/** Both ask for the next partner; the two wait side by side, until a third one comes for the one who asked first. */
async function areNotPairedAgain([first, second, third]) {
  for (const page of [first, second]) {
    await next(page);
    await waits(page);
  }
  await meet(third, "Video");
  await Promise.all([talks(first), talks(third)]);
  await heading(second, "Looking for someone");
  await say(first, "You are another one.", [third]);
}

test("report ends it for both, and the two are not paired again", async (t) => {
  const [ada, ben, cy] = await callers(t, { count: 3 });
  await connect(ada, ben);
  await report(ada, "Sexual content");
  await heading(ben, "A report ended this");
  await areNotPairedAgain([ada, ben, cy]);
});

test("block ends it, and the two are not paired again", async (t) => {
  const [ada, ben, cy] = await callers(t, { count: 3 });
  await connect(ada, ben);
  await block(ada);
  await heading(ben, "Your partner left");
  await areNotPairedAgain([ada, ben, cy]);
});

test("leaving ends the call for both", async (t) => {
  const [ada, ben] = await callers(t);
  await connect(ada, ben);
  await leave(ada);
  await heading(ben, "Your partner left");
  for (const page of [ada, ben]) {
    const states = await page.evaluate(() => globalThis.peers.map(({ connectionState }) => connectionState));
    assert.deepEqual(states, ["closed"]);
  }
  await ada.getByRole("button", { name: "Change how to meet" }).click();
  await heading(ada, "Say hello.");
});
