// Who this tab is: a random key that it keeps, by which the server knows the tab again after a reload.
// A duplicated tab starts with a copy of it, so the tab that uses a key holds a lock on it, and a copy gets a new one.
import { read, write } from "./tab";

const STORED = "throng.key";

/** Longest wait for the page that a reload replaces to let go of the lock. */
const HANDOVER_MS = 1_000;

/** This tab's key: 32 hexadecimal digits. Resolves at once, but for a duplicated tab. */
export async function ownKey(): Promise<string> {
  const stored = read(STORED);
  if (stored !== null && (await claim(stored))) return stored;
  const key = randomKey();
  write(STORED, key);
  await claim(key);
  return key;
}

// Without locks (a page that is not served securely) the tab that connects last has the key.
function claim(key: string): Promise<boolean> {
  if (!("locks" in navigator)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const held = () => {
      resolve(true);
      // Kept until the page goes away.
      return new Promise<never>(() => {});
    };
    const signal = AbortSignal.timeout(HANDOVER_MS);
    navigator.locks.request(`throng.${key}`, { signal }, held).catch(() => resolve(false));
  });
}

function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
