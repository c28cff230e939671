// What a person does on the roulette page alone, in its words: choose how to meet, and look at what comes of it.
import { setTimeout } from "node:timers/promises";
import { newPerson, PATIENCE_MS } from "./browser.mjs";
import { talks } from "./talk.mjs";

/** A person at the roulette, whose page lets the test see the connections that it makes. */
export async function newCaller(browser, url, options = {}) {
  return newPerson(browser, `${url}/roulette`, { ...options, prepare: watchPeers });
}

// Runs in the page before its own script.
function watchPeers() {
  const Native = globalThis.RTCPeerConnection;
  globalThis.peers = [];
  globalThis.RTCPeerConnection = class extends Native {
    constructor(...settings) {
      super(...settings);
      globalThis.peers.push(this);
    }
  };
}

/** Asks for a partner by `media`: `Video`, `Voice` or `Words`. */
export async function meet(page, media) {
  await page.locator("label", { has: page.getByRole("radio", { name: media }) }).click();
  await page.getByRole("button", { name: "Meet someone" }).click();
}

/** Resolves when the server accepted the wish and the person waits. */
export async function waits(page) {
  await page.getByText(/first one here\.|other .* waits?\./).waitFor();
}

/** Two people meet by `media`, and their call, if it is one, is connected. */
export async function connect(first, second, media = "Video") {
  await meet(first, media);
  await waits(first);
  await meet(second, media);
  await Promise.all([talks(first), talks(second)]);
  if (media !== "Words") await Promise.all([first, second].map((page) => isConnected(page)));
}

/** Resolves when the page says that the call is connected. */
export async function isConnected(page) {
  await page.locator('[data-call="connected"]').waitFor();
}

/** Resolves when new frames of the partner's picture have been shown. */
export async function seesFrames(page) {
  const partner = page.getByTestId("partner");
  await grows(() => partner.evaluate((video) => video.getVideoPlaybackQuality().totalVideoFrames));
}

/** Resolves when new packets of the partner's voice have arrived. */
export async function hears(page) {
  await grows(() =>
    page.evaluate(async () => {
      const stats = [...(await globalThis.peers.at(-1).getStats()).values()];
      return stats.find(({ type, kind }) => type === "inbound-rtp" && kind === "audio")?.packetsReceived ?? 0;
    }),
  );
}

// Resolves when what `count` returns has grown by more than 5. A call that was set up anew counts from nothing again.
async function grows(count) {
  const deadline = Date.now() + PATIENCE_MS;
  let least = Infinity;
  for (;;) {
    const now = await count();
    least = Math.min(least, now);
    if (now > least + 5) return;
    if (Date.now() > deadline) throw new Error(`There were ${now - least} more only in ${PATIENCE_MS} ms.`);
    await setTimeout(50);
  }
}
