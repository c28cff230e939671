// Two people choose, are paired, talk, leave, and go again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { MOVING, launchBrowser, newPerson, until, visit } from "./browser.mjs";
import { ask, newTopic, pair, waits } from "./debate.mjs";
import { startServer } from "./server.mjs";
import { clock, composer, heading, leave, next, reads, say, talks, transcript } from "./talk.mjs";

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

async function twoPeople(t, options) {
  const people = [await newPerson(browser, server.url, options), await newPerson(browser, server.url, options)];
  t.after(() => Promise.all(people.map((page) => page.context().close())));
  return people;
}

test("two people on opposite sides are paired and talk both ways", async (t) => {
  const [ada, ben] = await twoPeople(t, MOVING);
  const topic = await pair(ada, ben);
  for (const page of [ada, ben]) await heading(page, topic);
  await ada.getByText("You: For").waitFor();
  await ada.getByText("Partner: Against").waitFor();
  await ben.getByText("You: Against").waitFor();
  await say(ada, "Owls see at night.", [ben]);
  await say(ben, "They do not read programmes.", [ada]);
  assert.deepEqual(await transcript(ada), ["you: Owls see at night.", "partner: They do not read programmes."]);
  assert.deepEqual(await transcript(ben), ["partner: Owls see at night.", "you: They do not read programmes."]);
  assert.deepEqual([...ada.complaints, ...ben.complaints], []);
});

test("two people on the same side both wait, and see each other waiting", async (t) => {
  const [ada, ben] = await twoPeople(t);
  const topic = newTopic();
  await ask(ada, topic, "For");
  await waits(ada);
  await ask(ben, topic, "For");
  for (const page of [ada, ben]) await page.getByText("1 other person waits on this topic.").waitFor();
});

test("waiting can be cancelled, and then nobody is paired with the one who left", async (t) => {
  const [ada, ben] = await twoPeople(t);
  const topic = newTopic();
  await ask(ada, topic, "For");
  await waits(ada);
  await ada.getByRole("button", { name: "Cancel" }).click();
  await ada.getByRole("button", { name: "Find a partner" }).waitFor();
  await ask(ben, topic, "Against");
  await ben.getByText("You are the first one here on this topic.").waitFor();
});

test("topic that somebody waits on is offered to others", async (t) => {
  const [ada, ben] = await twoPeople(t);
  const topic = newTopic();
  await ask(ada, topic, "For");
  await ben.getByRole("radio", { name: topic }).check();
  await ben.getByRole("button", { name: "Find a partner" }).click();
  await Promise.all([talks(ada), talks(ben)]);
  await ben.getByText("You: Against").waitFor();
});

test("newcomer debates alone in two tabs of one window", async (t) => {
  const ada = await newPerson(browser, server.url);
  t.after(() => ada.context().close());
  const [second] = await Promise.all([
    ada.context().waitForEvent("page"),
    ada.getByRole("link", { name: "Open this page in a second tab" }).click(),
  ]);
  await pair(ada, second);
  await say(ada, "Hello, me.", [second]);
});

test("duplicated tab is a person of its own", async (t) => {
  const ada = await newPerson(browser, server.url);
  t.after(() => ada.context().close());
  // A window opened with its opener starts with a copy of the session storage, as a duplicated tab does.
  const [copy] = await Promise.all([ada.context().waitForEvent("page"), ada.evaluate(() => void open("/"))]);
  await visit(copy, server.url);
  await pair(ada, copy);
  await say(copy, "I am not you.", [ada]);
});

test("markup in a message and in a topic is text", async (t) => {
  const [ada, ben] = await twoPeople(t);
  const payload = `<img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>&amp;`;
  const topic = `<b>${newTopic()}</b>`;
  await pair(ada, ben, topic);
  await say(ada, payload, [ben]);
  for (const page of [ada, ben]) {
    await heading(page, topic);
    assert.equal(await page.locator("main img, main script, main b").count(), 0);
    assert.doesNotMatch(await page.title(), /pwned/);
  }
});

// One of each way in which markup has run as script: elements, handlers, URLs, styles, SVG and MathML, templates, broken
// tags, entities, template strings of frameworks. Every one that ran would set the title.
const PAYLOADS = [
  `<script>document.title="pwned"</script>`,
  `"><script>document.title='pwned'</script>`,
  `</textarea></title></style><script>document.title='pwned'</script>`,
  `<img src=x onerror=document.title='pwned'>`,
  `<img src=x:x onerror="&#100;ocument.title='pwned'">`,
  `<svg onload=document.title='pwned'>`,
  `<svg><script href="data:text/javascript,document.title='pwned'"></script></svg>`,
  `<svg><animate onbegin=document.title='pwned' attributeName=x dur=1s>`,
  `<math><mtext><table><mglyph><style><img src=x onerror=document.title='pwned'>`,
  `<body onload=document.title='pwned'>`,
  `<iframe srcdoc="<script>parent.document.title='pwned'</script>"></iframe>`,
  `<iframe src="javascript:parent.document.title='pwned'"></iframe>`,
  `<a href="javascript:document.title='pwned'">click</a>`,
  `<a href="jAvAsCrIpT&colon;document.title='pwned'">click</a>`,
  `<form action="javascript:document.title='pwned'"><button>go</button></form>`,
  `<details open ontoggle=document.title='pwned'>`,
  `<input autofocus onfocus=document.title='pwned'>`,
  `<video><source onerror=document.title='pwned'></video>`,
  `<object data="javascript:document.title='pwned'"></object>`,
  `<meta http-equiv=refresh content="0;url=javascript:document.title='pwned'">`,
  `<link rel=stylesheet href="data:text/css,*{display:none}">`,
  `<style>@import "data:text/css,*{display:none}"</style>`,
  `<template><img src=x onerror=document.title='pwned'></template>`,
  `<noscript><p title="</noscript><img src=x onerror=document.title='pwned'>">`,
  `<scr<script>ipt>document.title='pwned'</scr</script>ipt>`,
  `&lt;img src=x onerror=document.title='pwned'&gt;`,
  `{{constructor.constructor("document.title='pwned'")()}}`,
  "${document.title='pwned'}",
  `javascript:document.title='pwned'`,
];

test("no known way of running markup as script works", async (t) => {
  const [ada, ben] = await twoPeople(t);
  await pair(ada, ben);
  // As many as fit go into one message, so that the limit of events is not what stops them.
  const messages = [""];
  for (const payload of PAYLOADS) {
    if (messages.at(-1).length + payload.length > 480) messages.push("");
    messages[messages.length - 1] = `${messages.at(-1)} ${payload}`.trim();
  }
  for (const message of messages) await say(ada, message, [ben]);
  for (const page of [ada, ben]) {
    const texts = (await transcript(page)).map((line) => line.replace(/^(you|partner): /, ""));
    assert.deepEqual(texts, messages);
    assert.doesNotMatch(await page.title(), /pwned/);
    const foreign = ["script", "img", "iframe", "object", "meta", "link", "style", "video", "template", "math", "form a"];
    assert.equal(await page.locator(`main :is(${foreign.join(", ")})`).count(), 0);
    assert.deepEqual(page.complaints, []);
  }
});

test("message has at most 500 characters and at least one", async (t) => {
  const [ada, ben] = await twoPeople(t);
  await pair(ada, ben);
  const send = ada.getByRole("button", { name: "Send" });
  await composer(ada).fill("   ");
  assert.equal(await send.isDisabled(), true);
  await composer(ada).fill("x".repeat(501));
  await ada.getByText("1 too many").waitFor();
  assert.equal(await send.isDisabled(), true);
  await composer(ada).fill("🦉".repeat(500));
  await ada.getByText("500/500").waitFor();
  await send.click();
  await reads(ben, "🦉".repeat(500));
  await until(ada, () => document.querySelector("#message").value === "");
});

test("clock runs down for both alike", async (t) => {
  const [ada, ben] = await twoPeople(t);
  await pair(ada, ben);
  const start = await clock(ada);
  assert.ok(start > 0);
  await until(
    ada,
    (before) => {
      const [minutes, seconds] = document.querySelector('[data-testid="clock"]').textContent.split(":").map(Number);
      return minutes * 60 + seconds <= before - 2;
    },
    start,
  );
  const [before, other, after] = [await clock(ada), await clock(ben), await clock(ada)];
  assert.ok(before + 1 >= other && other >= after - 1, `${before} s, ${other} s, ${after} s`);
});

test("leaving ends the debate for both, each with the right reason", async (t) => {
  const [ada, ben] = await twoPeople(t);
  await pair(ada, ben);
  await say(ada, "I must go.", [ben]);
  await leave(ada);
  await heading(ben, "Your partner left");
  await ben.getByText("Read it again").click();
  assert.deepEqual(await transcript(ben), ["partner: I must go."]);
});

test("the same two people go again, then choose another topic", async (t) => {
  const [ada, ben] = await twoPeople(t);
  const topic = await pair(ada, ben);
  await say(ada, "First round.", [ben]);
  await leave(ada);
  await heading(ben, "Your partner left");
  for (const page of [ada, ben]) await next(page);
  for (const page of [ada, ben]) {
    await talks(page);
    await heading(page, topic);
    assert.deepEqual(await transcript(page), []);
  }
  await leave(ben);
  await ben.getByRole("button", { name: "Choose another topic" }).click();
  await ben.getByRole("heading", { name: "Disagree well." }).waitFor();
});

test("the two swap their sides", async (t) => {
  const [ada, ben] = await twoPeople(t);
  await pair(ada, ben);
  await leave(ada);
  await heading(ben, "Your partner left");
  for (const page of [ada, ben]) await page.getByRole("button", { name: "Argue the other side" }).click();
  await ada.getByText("You: Against").waitFor();
  await ben.getByText("You: For").waitFor();
});
