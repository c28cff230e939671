// One person uses nothing but the keyboard, from choosing to going again, and always sees where the focus is.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchBrowser, newPerson, until } from "./browser.mjs";
import { ask, newTopic } from "./debate.mjs";
import { startServer } from "./server.mjs";
import { heading, reads, talks, transcript } from "./talk.mjs";

/** More steps than the page has things to focus: whoever needs them has lost the way. */
const STEPS_MAX = 40;

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

function focused(target) {
  return target.evaluate((element) => element === document.activeElement);
}

/** Presses `key` until `target` has the focus, and checks that one can see it there. */
async function walkTo(page, target, key = "Tab") {
  for (let step = 0; step < STEPS_MAX && !(await focused(target)); step += 1) await page.keyboard.press(key);
  assert.ok(await focused(target), `${key} does not reach ${target}`);
  const outlined = await target.evaluate((element) =>
    [element, element.closest("label")].some((box) => box && getComputedStyle(box).outlineStyle === "solid"),
  );
  assert.ok(outlined, `the focus on ${target} cannot be seen`);
}

test("passing the own topic with Tab keeps the choice", async (t) => {
  const ada = await newPerson(browser, server.url);
  t.after(() => ada.context().close());
  const cars = ada.getByRole("radio", { name: "Cities should be free of private cars" });
  await walkTo(ada, ada.getByRole("radio", { name: "A four-day week should be the norm" }));
  await walkTo(ada, cars, "ArrowDown");
  await walkTo(ada, ada.getByLabel("Your own topic, in your words"));
  await walkTo(ada, ada.getByRole("radio", { name: "Either side" }));
  assert.equal(await cars.isChecked(), true);
});

test("keyboard alone is enough for everything", async (t) => {
  const ada = await newPerson(browser, server.url);
  const ben = await newPerson(browser, server.url);
  t.after(() => Promise.all([ada, ben].map((page) => page.context().close())));
  const topic = newTopic();

  await walkTo(ada, ada.getByLabel("Your own topic, in your words"));
  await ada.keyboard.type(topic);
  await walkTo(ada, ada.getByRole("radio", { name: "Either side" }));
  await walkTo(ada, ada.getByRole("radio", { name: "Against" }), "ArrowUp");
  await walkTo(ada, ada.getByRole("button", { name: "Find a partner" }));
  await ada.keyboard.press("Enter");

  await heading(ada, "Looking for the other half");
  await until(ada, () => document.activeElement.tagName === "H1");
  await walkTo(ada, ada.getByRole("button", { name: "Cancel" }));
  await ada.keyboard.press("Space");
  await walkTo(ada, ada.getByRole("button", { name: "Find a partner" }));
  await ada.keyboard.press("Enter");

  await ask(ben, topic, "For");
  await Promise.all([talks(ada), talks(ben)]);
  await until(ada, () => document.activeElement.id === "message");
  await ada.keyboard.type("Typed, not clicked.");
  await ada.keyboard.press("Enter");
  await reads(ben, "Typed, not clicked.");
  await walkTo(ada, ada.getByRole("log", { name: "Messages" }), "Shift+Tab");
  await walkTo(ada, ada.getByRole("button", { name: "Report or block" }), "Shift+Tab");
  await ada.keyboard.press("Enter");
  await ada.getByRole("dialog", { name: "What is wrong?" }).waitFor();
  await ada.keyboard.press("Escape");
  await ada.getByRole("dialog").waitFor({ state: "detached" });
  // The focus returns to where it was.
  await until(ada, () => document.activeElement.getAttribute("aria-label") === "Report or block");
  await walkTo(ada, ada.getByRole("button", { name: "Leave" }), "Shift+Tab");
  await ada.keyboard.press("Enter");

  await heading(ada, "You left the debate");
  await until(ada, () => document.activeElement.tagName === "H1");
  await walkTo(ada, ada.getByRole("radio", { name: "1 star" }));
  await walkTo(ada, ada.getByRole("radio", { name: "4 stars" }), "ArrowRight");
  await walkTo(ada, ada.getByRole("button", { name: "Send" }));
  await ada.keyboard.press("Enter");
  await until(ada, () => document.activeElement.textContent === "Thank you for saying how it was.");
  await walkTo(ada, ada.getByRole("button", { name: "Block this partner" }));
  await ada.keyboard.press("Enter");
  await until(ada, () => document.activeElement.textContent.startsWith("Blocked."));
  await walkTo(ada, ada.getByText("Read it again"));
  await ada.keyboard.press("Enter");
  assert.deepEqual(await transcript(ada), ["you: Typed, not clicked."]);
  await walkTo(ada, ada.getByRole("button", { name: "Next partner" }), "Shift+Tab");
  await ada.keyboard.press("Enter");
  await heading(ada, "Looking for the other half");
});
