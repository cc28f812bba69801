/** The languages that replies can be in, and how a client names one (RFC 6856 §3 LANG, RFC 4647). */

/** A text in each language. `i-default` (RFC 2277 §4.5) is the English one, since it must be ASCII. */
export interface Wording {
  readonly en: string;
  readonly de: string;
}

export type LanguageTag = "i-default" | "en" | "de";

/** What is spoken before LANG: what anybody may be expected to read. */
export const DEFAULT_LANGUAGE: LanguageTag = "i-default";

/** What `LANG *` selects. */
export const PREFERRED_LANGUAGE: LanguageTag = "en";

/** What LANG lists: the tag, and the language's name in itself. */
export const LANGUAGES: readonly (readonly [LanguageTag, string])[] = [
  ["en", "English"],
  ["de", "Deutsch"],
  ["i-default", "Default language"],
];

/** The text of a wording in a language. */
export function say(language: LanguageTag, wording: Wording): string {
  return language === "de" ? wording.de : wording.en;
}

/**
 * Finds the language for a basic language range: the tag itself, or the range with its last subtags
 * taken off until one fits (RFC 4647 §3.4), so that `de-AT` gets `de`. Undefined if none fits.
 */
export function lookUpLanguage(range: string): LanguageTag | undefined {
  if (range === "*") return PREFERRED_LANGUAGE;
  if (!/^[a-z]{1,8}(-[a-z0-9]{1,8})*$/i.test(range)) return undefined;
  const subtags = range.toLowerCase().split("-");
  for (; subtags.length > 0; subtags.pop()) {
    const tag = subtags.join("-");
    const found = LANGUAGES.find(([known]) => known === tag);
    if (found !== undefined) return found[0];
  }
  return undefined;
}
