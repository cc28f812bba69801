/**
 * Log values as text that is safe to print: one line, no terminal control, no secrets.
 *
 * Secrets are kept out by construction: passwords and SASL responses are octets all through the
 * program, and octets have no printed form here, only a count. Objects are not walked into, so nothing
 * gets out because somebody logged the thing around it; and text under a name that speaks of secrets
 * is withheld.
 *
 * *Knows*: values. *Does not know*: which fields there are.
 */

/** Longest value in the log, characters. What a client sends is bounded elsewhere; errors are not. */
const VALUE_CHARACTERS = 2_000;

const SECRET_NAME = /pass(?!ed)|secret|token|credential|hash|private|sasl_response/;

/**
 * What may not reach a terminal or break a line: C0, DEL and C1 controls, line and paragraph
 * separators, and the marks that turn the direction of text around them (CVE-2021-42574).
 */
// deno-lint-ignore no-control-regex -- controls are what it is about
const UNPRINTABLE = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** A value as it may stand in the log: a number, a truth value or safe text; undefined leaves it out. */
export type LogValue = string | number | boolean | undefined;

/** The printable form of any value that was logged under `name` (in snake_case). */
export function logValue(name: string, value: unknown): LogValue {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "boolean":
      return value;
    case "bigint":
      return String(value);
    case "string":
      return SECRET_NAME.test(name) ? "(withheld)" : printable(value);
    case "object":
      return objectValue(name, value);
    default:
      return undefined;
  }
}

function objectValue(name: string, value: object | null): LogValue {
  if (value === null) return undefined;
  if (value instanceof Error) return printable(errorText(value));
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return `(${value.byteLength} octets)`;
  }
  if (Array.isArray(value)) {
    return value.map((one) => typeof one === "object" ? "(object)" : logValue(name, one)).join(",");
  }
  return "(object)";
}

/** An error and what caused it, without stacks. */
function errorText(error: Error): string {
  const texts: string[] = [];
  for (let at: unknown = error; at !== undefined && texts.length < 4;) {
    if (!(at instanceof Error)) {
      texts.push(typeof at === "string" ? at : "(object)");
      break;
    }
    texts.push(`${at.name}: ${at.message}`);
    at = at.cause;
  }
  return texts.join(" <- ");
}

/** Nothing in it to escape, and short: nearly every value. */
const PLAIN = /^[\x20-\x7e]{0,200}$/;

/** The text with everything unprintable escaped as JSON would, and clipped. */
export function printable(text: string): string {
  if (PLAIN.test(text)) return text;
  const whole = text.length <= VALUE_CHARACTERS ? text : `${text.slice(0, VALUE_CHARACTERS)}...`;
  return whole.toWellFormed().replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Names are of the program's making and few; should there be more, the others are made each time. */
const NAMES_KEPT = 1_000;

const names = new Map<string, string>();

/** `retrievedOctets` as `retrieved_octets`: the one form of names in the log. */
export function fieldName(property: string): string {
  const kept = names.get(property);
  if (kept !== undefined) return kept;
  const name = makeFieldName(property);
  if (names.size < NAMES_KEPT) names.set(property, name);
  return name;
}

function makeFieldName(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    .replace(/[^a-z0-9_]/g, "_");
}
