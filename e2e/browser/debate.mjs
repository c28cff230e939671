// What a person does on the debate page alone, in its words: choose, and be paired.
import { talks } from "./talk.mjs";

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

/** Pairs two people on a topic of their own, the first for it and the second against it. */
export async function pair(first, second, topic = newTopic()) {
  await ask(first, topic, "For");
  await waits(first);
  await ask(second, topic, "Against");
  await Promise.all([talks(first), talks(second)]);
  return topic;
}
