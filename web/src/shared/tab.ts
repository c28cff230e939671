// What this tab can keep over a reload: sessionStorage, or plain memory where the browser forbids that.

const memory = new Map<string, string>();

export function read(name: string): string | null {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return memory.get(name) ?? null;
  }
}

export function write(name: string, value: string): void {
  try {
    sessionStorage.setItem(name, value);
  } catch {
    memory.set(name, value);
  }
}

export function forget(name: string): void {
  memory.delete(name);
  try {
    sessionStorage.removeItem(name);
  } catch {
    // There is none to remove it from.
  }
}
