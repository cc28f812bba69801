/**
 * What is wrong in a settings file, as a value and as a sentence.
 *
 * *Knows*: how a fault reads. *Does not know*: which keys there are.
 */

/** One thing that keeps a settings file from being used. */
export interface Fault {
  readonly file: string;
  /** Counted from 1; undefined when the fault is that something is not there. */
  readonly line: number | undefined;
  /** The key as a path, such as `certificates[0].key_file`; undefined when no key is to blame. */
  readonly key: string | undefined;
  readonly found: string;
  readonly allowed: string;
  /** The known key or value that a misspelt one is nearest to. */
  readonly nearest?: string;
}

/** The fault as one line: file, line, key, what was found, what is allowed, the nearest known name. */
export function faultText(fault: Fault): string {
  const place = fault.line === undefined ? fault.file : `${fault.file}:${fault.line}`;
  const key = fault.key === undefined ? "" : `${fault.key}: `;
  const near = fault.nearest === undefined ? "" : `; did you mean ${fault.nearest}?`;
  return `${place}: ${key}found ${fault.found}; allowed is ${fault.allowed}${near}`;
}

/** Longest value that a fault repeats, characters. */
const SHOWN_CHARACTERS = 80;

/** A TOML value as a fault shows it: on one line, cut, with no control character left raw. */
export function shownValue(value: unknown): string {
  const text = typeof value === "bigint"
    ? String(value)
    : value instanceof Date
    ? value.toISOString()
    : JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? Number(inner) : inner) ??
      String(value);
  const safe = text.replace(
    /[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const characters = [...safe];
  return characters.length > SHOWN_CHARACTERS
    ? `${characters.slice(0, SHOWN_CHARACTERS).join("")}...`
    : safe;
}
