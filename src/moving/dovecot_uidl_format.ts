/**
 * Dovecot's setting `pop3_uidl_format`: how a unique-id is made of what is known of a message.
 *
 * | until 2.3              | from 2.4                          | stands for                            |
 * | ---------------------- | --------------------------------- | ------------------------------------- |
 * | `%u`                   | `%{uid}`                          | the IMAP UID                          |
 * | `%v`                   | `%{uidvalidity}`                  | the mailbox's UIDVALIDITY             |
 * | `%f`                   | `%{filename}`                     | the file's name before its flags      |
 * | `%g`                   | `%{guid}`                         | its GUID: that name, unless the list has another |
 * | `%08Xu`                | `%{uid | hex(8)}`                 | the same in hexadecimal, at least eight digits |
 *
 * `%[[OFFSET.]WIDTH]MODIFIERS` go before the letter until 2.3: a WIDTH that begins with 0 fills up with zeros, any
 * other cuts; an OFFSET below 0 counts from the end; X is hexadecimal in small letters, L and U make letters small
 * and large, R turns the text round. The filters of 2.4 that are known are hex(WIDTH), lower, upper and reverse.
 * `%m`, the MD5 sum of the header, is Dovecot's for mbox alone.
 *
 * *Knows* the format. *Does not know* the list.
 */

export interface UidlFacts {
  readonly uid: number;
  readonly uidValidity: number;
  /** A character an octet. */
  readonly fileName: string;
  readonly guid: string;
}

export type UidlFormat = (facts: UidlFacts) => string;

/** What Dovecot has where nothing is set, in both spellings. */
export const DOVECOT_UIDL_FORMAT = "%08Xu%08Xv";

/** Wider than any unique-id. */
const MOST_WIDTH = 1_000;

type Change = (text: string) => string;

const LETTERS = new Map<string, keyof UidlFacts>([
  ["u", "uid"],
  ["v", "uidValidity"],
  ["f", "fileName"],
  ["g", "guid"],
]);

const NAMES = new Map<string, keyof UidlFacts>([
  ["uid", "uid"],
  ["uidvalidity", "uidValidity"],
  ["filename", "fileName"],
  ["guid", "guid"],
]);

/** The format, or why it is none that is known. */
export function parseDovecotUidlFormat(text: string): UidlFormat | { readonly fault: string } {
  const parts: UidlFormat[] = [];
  let hasVariable = false;
  for (let at = 0; at < text.length;) {
    const percent = text.indexOf("%", at);
    const plain = text.slice(at, percent < 0 ? text.length : percent);
    if (plain !== "") parts.push(() => plain);
    if (percent < 0) break;
    const found = variableAt(text, percent);
    if ("fault" in found) return found;
    parts.push(found.make);
    hasVariable ||= !found.isPlain;
    at = found.end;
  }
  if (!hasVariable) return { fault: `there is no variable in "${text}"` };
  return (facts) => parts.map((part) => part(facts)).join("");
}

interface Variable {
  readonly make: UidlFormat;
  readonly isPlain: boolean;
  readonly end: number;
}

function variableAt(text: string, percent: number): Variable | { readonly fault: string } {
  if (text[percent + 1] === "%") return { make: () => "%", isPlain: true, end: percent + 2 };
  const old = /^%(-?)(?:(\d{1,3})\.)?(\d{0,4})([A-Z]*)(?:([a-z])|\{([a-z]+)\})/.exec(
    text.slice(percent),
  );
  if (old !== null) return oldVariable(old, percent);
  const braced = /^%\{([^{}]*)\}/.exec(text.slice(percent));
  if (braced === null) return { fault: `"${text.slice(percent)}" is no variable` };
  return newVariable(braced[1]!, percent + braced[0].length);
}

function oldVariable(
  [all, sign, offset = "0", width = "", modifiers = "", letter, name]: RegExpExecArray,
  at: number,
): Variable | { readonly fault: string } {
  const field = letter === undefined ? NAMES.get(name ?? "") : LETTERS.get(letter);
  if (field === undefined) return { fault: unknownVariable(all) };
  const changes: Change[] = [];
  for (const modifier of modifiers) {
    const change = modifierOf(modifier, field);
    if (change === undefined) return { fault: `the modifier ${modifier} in "${all}" is not known` };
    changes.push(change);
  }
  const cut = cutting(Number(`${sign}${offset}`), width);
  return {
    make: (facts) => cut(changes.reduce((text, change) => change(text), String(facts[field]))),
    isPlain: false,
    end: at + all.length,
  };
}

function modifierOf(modifier: string, field: keyof UidlFacts): Change | undefined {
  switch (modifier) {
    case "X":
      return isNumber(field) ? (text) => Number(text).toString(16) : undefined;
    case "L":
      return lower;
    case "U":
      return upper;
    case "R":
      return reversed;
    default:
      return undefined;
  }
}

/** What follows the modifiers: from `offset` on, at least or at most so many characters. */
function cutting(offset: number, width: string): Change {
  const wide = Math.min(Number(width), MOST_WIDTH);
  const fills = width.startsWith("0");
  return (text) => {
    const rest = offset < 0 ? text.slice(Math.max(0, text.length + offset)) : text.slice(offset);
    if (wide === 0) return rest;
    return fills ? rest.padStart(wide, "0") : rest.slice(0, wide);
  };
}

function newVariable(inner: string, end: number): Variable | { readonly fault: string } {
  const [name = "", ...filters] = inner.split("|").map((part) => part.trim());
  const field = NAMES.get(name);
  if (field === undefined) return { fault: unknownVariable(`%{${inner}}`) };
  const changes: Change[] = [];
  for (const filter of filters) {
    const change = filterOf(filter, field);
    if (change === undefined) {
      return { fault: `the filter ${filter} in "%{${inner}}" is not known` };
    }
    changes.push(change);
  }
  const make: UidlFormat = (facts) =>
    changes.reduce((text, change) => change(text), String(facts[field]));
  return { make, isPlain: false, end };
}

function filterOf(filter: string, field: keyof UidlFacts): Change | undefined {
  const [, name, argument] = /^([a-z]+)(?:\(\s*(\d{1,3})\s*\))?$/.exec(filter) ?? [];
  if (name === "hex" && isNumber(field)) {
    const digits = Number(argument ?? 0);
    return (text) => Number(text).toString(16).padStart(digits, "0");
  }
  if (argument !== undefined) return undefined;
  if (name === "lower") return lower;
  if (name === "upper") return upper;
  return name === "reverse" ? reversed : undefined;
}

function unknownVariable(text: string): string {
  return `"${text}" is not known of a Maildir; ids of that kind can be had by --from live`;
}

function isNumber(field: keyof UidlFacts): boolean {
  return field === "uid" || field === "uidValidity";
}

// Letters are those of ASCII: characters are octets here.
const lower: Change = (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
const upper: Change = (text) => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
const reversed: Change = (text) => [...text].reverse().join("");
