// The languages on offer, each under the name that its speakers give it.

const CODES = [
  "ar", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "ko",
  "nl", "no", "pl", "pt", "ro", "ru", "sv", "th", "tr", "uk", "vi", "zh",
] as const;

/** `Deutsch` for `de`; the code itself where the browser does not know it. */
export function languageName(code: string): string {
  try {
    const name = new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code;
    return name.charAt(0).toLocaleUpperCase(code) + name.slice(1);
  } catch {
    return code;
  }
}

/** Every language as code and name, those of `mine` (a browser's preferences, `de-AT`) first, then by name. */
export function languages(mine: readonly string[]): { code: string; name: string }[] {
  const preferred = mine.map((tag) => tag.split("-")[0]);
  const rank = (code: string) => (preferred.includes(code) ? preferred.indexOf(code) : preferred.length);
  return CODES.map((code) => ({ code, name: languageName(code) })).sort(
    (a, b) => rank(a.code) - rank(b.code) || a.name.localeCompare(b.name),
  );
}
