// Chromium, and people in it: each person is a page in a browser context of its own, with everything the page complained
// about on its console.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Where a machine has no network but its own, calls go over the loopback.
  "--allow-loopback-in-peer-connection",
];

/**
 * A camera that shows a moving picture, slow enough to be encoded by a machine without a graphics card, and a microphone that
 * beeps; and what a person says when asked for them.
 */
export const DEVICES = {
  granted: ["--use-fake-device-for-media-stream=fps=5", "--use-fake-ui-for-media-stream"],
  denied: ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream=deny"],
  missing: ["--use-fake-device-for-media-stream=device-count=0", "--use-fake-ui-for-media-stream"],
};

/** How people are unless a test says otherwise. Movement is drawn by the processor here, and would take half of it. */
const PERSON = { viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" };

/** The same for somebody whom movement does not disturb. */
export const MOVING = { reducedMotion: "no-preference" };

/** Longest wait for any condition, in milliseconds. */
export const PATIENCE_MS = 15_000;

/** Starts Chromium; `flags` are added to the ones that every test has. */
export async function launchBrowser(flags = []) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) {
    throw new Error(`There is no Chromium at ${executablePath}: apt-get install chromium, or set CHROMIUM to its path.`);
  }
  return chromium.launch({ executablePath, args: [...FLAGS, ...flags] });
}

/**
 * A person with a new browser context at the page of `url`. `options` are those of a Playwright context, and `prepare`, a
 * function that runs in every page of it before the page's own script.
 */
export async function newPerson(browser, url, { prepare, ...options } = {}) {
  const context = await browser.newContext({ ...PERSON, ...options });
  if (prepare) await context.addInitScript(prepare);
  return visit(await context.newPage(), url);
}

/** Takes a page to `url` and resolves when it is connected. */
export async function visit(page, url) {
  page.setDefaultTimeout(PATIENCE_MS);
  page.complaints = [];
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  await page.goto(url);
  await connected(page);
  return page;
}

/** Resolves when the page is connected, be it newly or again. */
export async function connected(page) {
  await page.locator('[data-link="online"], [data-link="restored"]').waitFor({ state: "attached" });
}

/** Resolves when the function `probe` of the page world returns a true value for `arg`; returns that value. */
export async function until(page, probe, arg) {
  const handle = await page.waitForFunction(probe, arg, { timeout: PATIENCE_MS });
  return handle.jsonValue();
}
