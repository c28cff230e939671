// Who this tab is: the guest as which the server has named it, with the token by which the server knows it again after a
// reload. A duplicated tab starts with a copy of both, so the tab that uses them holds a lock, and a copy is a new guest.
import { forget, read, write } from "./tab";

/** What the server gave a guest: its name, and the proof of it. */
export interface Guest {
  user: string;
  token: string;
}

const STORED = "throng.guest";

/** Longest wait for the page that a reload replaces to let go of the lock. */
const HANDOVER_MS = 1_000;

/** The guest that this tab was before a reload; null for a new tab, or a duplicated one. */
export async function formerGuest(): Promise<Guest | null> {
  const guest = parse(read(STORED));
  if (guest !== null && (await claim(guest.user))) return guest;
  forget(STORED);
  return null;
}

/** Keeps who this tab is for its next load; not before the lock is held, or a duplicate could take its place. */
export async function keepGuest({ user, token }: Guest): Promise<void> {
  if (await claim(user)) write(STORED, JSON.stringify({ user, token }));
}

/** Forgets it, because the server knows the guest no more. */
export function forgetGuest(): void {
  forget(STORED);
}

function parse(stored: string | null): Guest | null {
  try {
    const guest = JSON.parse(stored ?? "null") as Guest | null;
    return typeof guest?.user === "string" && typeof guest.token === "string" ? guest : null;
  } catch {
    return null;
  }
}

// Without locks (a page that is not served securely) the tab that connects last is the guest.
function claim(user: string): Promise<boolean> {
  if (!("locks" in navigator)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const held = () => {
      resolve(true);
      // Kept until the page goes away.
      return new Promise<never>(() => {});
    };
    const signal = AbortSignal.timeout(HANDOVER_MS);
    navigator.locks.request(`throng.${user}`, { signal }, held).catch(() => resolve(false));
  });
}
