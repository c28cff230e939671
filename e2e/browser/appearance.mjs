// How a page must look in every state: it passes the axe accessibility rules and fits the width of its window.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fitsTheWidth } from "./talk.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const DEVICES = {
  desk: { viewport: { width: 1280, height: 890 } },
  phone: { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true },
};

/** Each device in each light, as `options` of a browser context. */
export const SCREENS = Object.entries(DEVICES).flatMap(([device, screen]) =>
  ["light", "dark"].map((colorScheme) => ({
    device,
    colorScheme,
    options: { ...screen, colorScheme, reducedMotion: "reduce" },
  })),
);

/** Fails with every rule the page breaks in this state and where, and when the page is too wide. */
export async function check(page, state) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const broken = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(", ")}`);
  assert.deepEqual(broken, [], state);
  await fitsTheWidth(page, state);
}
