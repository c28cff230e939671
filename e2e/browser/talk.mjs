// What a person does on both pages, in their words: write, read what is there, part, and say why.
import assert from "node:assert/strict";
import { until } from "./browser.mjs";

export function composer(page) {
  return page.getByLabel("Your message");
}

/** Writes a message and sends it with Enter; resolves when it stands in the log of every page of `readers`. */
export async function say(page, text, readers) {
  await composer(page).fill(text);
  await composer(page).press("Enter");
  for (const reader of [page, ...readers]) await reads(reader, text);
}

/** Resolves when the last message of the log is `text`. */
export async function reads(page, text) {
  await until(page, (expected) => [...document.querySelectorAll(".message-text")].at(-1)?.textContent === expected, text);
}

/** The log as `you: text` and `partner: text`, oldest first. */
export async function transcript(page) {
  return page.locator(".message").evaluateAll((messages) =>
    messages.map((message) => {
      const from = message.classList.contains("message-you") ? "you" : "partner";
      return `${from}: ${message.querySelector(".message-text").textContent}`;
    }),
  );
}

/** Seconds on the clock. */
export async function clock(page) {
  const text = await page.getByTestId("clock").textContent();
  const [minutes, seconds] = text.split(":").map(Number);
  return minutes * 60 + seconds;
}

export async function leave(page) {
  await page.getByRole("button", { name: "Leave" }).click();
  await page.getByRole("heading", { name: /^You left the/, level: 1 }).waitFor();
}

/** Goes on to the next partner, during a conversation or after it; resolves when the former one is out of sight. */
export async function next(page) {
  const former = await page.$("#message");
  await page.getByRole("button", { name: /^Next( partner)?$/ }).click();
  if (former !== null) await until(page, (element) => !element.isConnected, former);
}

/** Reports the partner for `reason`, in the words of the page. */
export async function report(page, reason, words = "") {
  await page.getByRole("button", { name: "Report or block" }).click();
  const dialog = page.getByRole("dialog", { name: "What is wrong?" });
  await dialog.getByRole("radio", { name: reason }).check();
  await dialog.getByLabel("In your words, if you like").fill(words);
  await dialog.getByRole("button", { name: "Report" }).click();
  await heading(page, "Thank you for the report");
}

/** Blocks the partner without a report. */
export async function block(page) {
  await page.getByRole("button", { name: "Report or block" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Only block" }).click();
  await heading(page, "You blocked your partner");
}

/** Resolves when the person is in a conversation. */
export async function talks(page) {
  await composer(page).waitFor();
}

/** Resolves when the heading of the page is `title`. */
export async function heading(page, title) {
  await page.getByRole("heading", { name: title, exact: true, level: 1 }).waitFor();
}

/** Widths of windows in pixels: small and common phones, a tablet, a desk. */
const WIDTHS = [320, 360, 768, 1280];

/** Fails when the page, or a choice or a word on the disc in it, is wider than its place in a window of any width. */
export async function fitsEveryWidth(page, state) {
  const before = page.viewportSize();
  for (const width of WIDTHS) {
    await page.setViewportSize({ ...before, width });
    const tooWide = await page.evaluate((window) => {
      // A picture fills the disc, of which the half is a part.
      const parts = document.querySelectorAll(".choice, .half:not(:has(video))");
      const boxes = [document.documentElement, ...parts];
      // On a phone the window grows with what is in it.
      const sticksOut = (box) => box.scrollWidth > Math.min(box.clientWidth, window);
      return boxes.filter(sticksOut).map((box) => `${box.tagName} ${box.className}: ${box.scrollWidth} px`);
    }, width);
    assert.deepEqual(tooWide, [], `${state}, in a window of ${width} px`);
  }
  await page.setViewportSize(before);
}
