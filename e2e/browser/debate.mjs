// What a person does on the debate page, in the words of the page: choose, talk, leave, and read what is there.
import assert from "node:assert/strict";
import { until } from "./browser.mjs";

let topics = 0;

/** A topic that no other test uses, so that nobody else is paired on it. */
export function newTopic() {
  topics += 1;
  return `Owls should vote, motion ${process.pid}-${topics}`;
}

/** Brings an own topic, takes a side (`For`, `Against`, `Either side`) and asks for a partner. */
export async function ask(page, topic, side) {
  const own = page.getByLabel("Your own topic, in your words");
  await own.click();
  await own.fill(topic);
  // The radio button is invisible, the half of the disc around it is what a person clicks.
  await page.locator("label", { has: page.getByRole("radio", { name: side, exact: true }) }).click();
  await page.getByRole("button", { name: "Find a partner" }).click();
}

/** Resolves when the server accepted the wish and the person waits. */
export async function waits(page) {
  await page.getByText(/on this topic\./).waitFor();
}

/** Resolves when the person is in a debate. */
export async function talks(page) {
  await composer(page).waitFor();
}

/** Pairs two people on a topic of their own, the first for it and the second against it. */
export async function pair(first, second, topic = newTopic()) {
  await ask(first, topic, "For");
  await waits(first);
  await ask(second, topic, "Against");
  await Promise.all([talks(first), talks(second)]);
  return topic;
}

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
  await heading(page, "You left the debate");
}

/** Resolves when the heading of the page is `title`. */
export async function heading(page, title) {
  await page.getByRole("heading", { name: title, exact: true, level: 1 }).waitFor();
}

/** Fails when the page is wider than its window. */
export async function fitsTheWidth(page, state) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `${state}: the page is ${content} px wide in a window of ${window} px`);
}
