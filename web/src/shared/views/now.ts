// The time as a value that views can use.
import { useEffect, useState } from "preact/hooks";

/** Milliseconds since the epoch, renewed four times a second, so that no displayed second is skipped. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  return now;
}
