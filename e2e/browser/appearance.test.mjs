// Every state of the debate page is accessible and fits its window, in dark and in light, on a desk and on a phone.
import { after, before, test } from "node:test";
import { check, SCREENS } from "./appearance.mjs";
import { launchBrowser, newPerson } from "./browser.mjs";
import { ask, newTopic, waits } from "./debate.mjs";
import { startServer } from "./server.mjs";
import { composer, heading, leave, say, talks } from "./talk.mjs";

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

for (const { device, options } of SCREENS) {
  test(`every state is accessible and fits: ${device}`, async (t) => {
    const ada = await newPerson(browser, server.url, options);
    const ben = await newPerson(browser, server.url, options);
    t.after(() => Promise.all([ada, ben].map((page) => page.context().close())));
    const topic = `${newTopic()} ${"W".repeat(60)}`;

    await check(ada, "choosing");
    for (const side of ["For", "Against"]) {
      await ada.getByRole("radio", { name: side, exact: true }).focus();
      await ada.keyboard.press("Space");
      await check(ada, `choosing ${side}`);
    }
    await ada.getByText("Interests, language and more").click();
    await ada.getByLabel("Interests", { exact: true }).fill(`${"W".repeat(30)}, owls, `);
    await ada.getByLabel("Language", { exact: true }).selectOption("de");
    await ada.getByRole("checkbox", { name: "Voting should be compulsory" }).check();
    await check(ada, "choosing with everything unfolded");
    await ask(ada, "", "For");
    await ada.getByText("Write a topic first").waitFor();
    await check(ada, "choosing without a topic");
    await ask(ada, topic, "For");
    await waits(ada);
    await check(ada, "waiting");
    await ben.getByRole("radio", { name: topic }).waitFor();
    await check(ben, "choosing with the topics of others");

    await ask(ben, topic, "Against");
    await Promise.all([talks(ada), talks(ben)]);
    await check(ada, "talking without a message");
    await say(ada, "W".repeat(300), [ben]);
    await say(ben, "No.", [ada]);
    await composer(ben).pressSequentially("Because");
    await ada.getByText("Your partner is writing.").waitFor();
    await composer(ada).fill("x".repeat(501));
    await check(ada, "talking, partner writes, message too long");
    await check(ben, "talking");
    await ada.getByRole("button", { name: "Report or block" }).click();
    await check(ada, "report");
    await ada.getByRole("button", { name: "Back" }).click();

    await ada.context().setOffline(true);
    await ada.getByText(/Attempt \d+/).waitFor();
    await check(ada, "reconnecting");
    await ben.getByText("(away)").waitFor();
    await check(ben, "partner away");
    await ada.context().setOffline(false);
    await ada.getByText("Connection restored.").waitFor();
    await check(ada, "restored");

    await leave(ben);
    await check(ben, "left");
    await heading(ada, "Your partner left");
    await ada.getByText("Read it again").click();
    await ada.locator("label", { has: ada.getByRole("radio", { name: "4 stars" }) }).click();
    await check(ada, "ended, with a rating");
    await ada.getByRole("button", { name: "Send" }).click();
    await ada.getByText("Thank you for saying how it was.").waitFor();
    await check(ada, "ended, rated");
  });
}
