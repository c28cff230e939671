// Every wait of the suite has a deadline and says what it waited for.

/** Milliseconds after which a wait fails. */
export const WAIT_MAX = 8_000;

/** Fails with `what` unless `promise` settles in time. */
export function within(promise, what, ms = WAIT_MAX) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks each so many milliseconds until it holds. */
export async function until(what, holds, ms, every) {
  let isLate = false;
  const look = async () => {
    while (!(await holds()) && !isLate) await new Promise((resolve) => setTimeout(resolve, every));
  };
  await within(look(), what, ms).finally(() => (isLate = true));
}
