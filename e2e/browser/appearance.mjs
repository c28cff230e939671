// How a page must look in every state: it passes the axe accessibility rules and fits windows of every width.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fitsEveryWidth } from "./talk.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const DEVICES = {
  desk: { viewport: { width: 1280, height: 890 } },
  phone: { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true },
};

/** Each device, as `options` of a browser context. */
export const SCREENS = Object.entries(DEVICES).map(([device, screen]) => ({
  device,
  options: { ...screen, reducedMotion: "reduce" },
}));

/**
 * Fails with every rule the page breaks in this state and where, and when it is too wide for a window. In the dark only colours are
 * others than in the light, so that only these are looked at again.
 */
export async function check(page, state) {
  await page.evaluate(AXE);
  for (const [colorScheme, options] of [["dark", { runOnly: ["color-contrast"] }], ["light", {}]]) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate((options) => globalThis.axe.run(options), options);
    const broken = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(", ")}`);
    assert.deepEqual(broken, [], `${state}, ${colorScheme}`);
  }
  await fitsEveryWidth(page, state);
}
