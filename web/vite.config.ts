// How the pages are built: an HTML file for each, scripts and style sheets of our own origin, nothing inlined, so that
// `Content-Security-Policy: default-src 'self'` holds.
import { defineConfig } from "vite";
import { clientBundle } from "./build/client-bundle.ts";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [clientBundle()],
  build: {
    target: "es2022",
    // An inlined asset is a data: URL, which the policy refuses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ["index.html", "roulette.html"] },
  },
  server: {
    proxy: { "/socket.io": { target: "http://127.0.0.1:3000", ws: true } },
  },
});
